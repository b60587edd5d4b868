"""Dropout between layers: what is dropped, when, and its gradient."""

import numpy as np
import pytest

import elman

X = np.random.default_rng(0).standard_normal((40, 30, 3))


def layers(kind=elman.RNN, **options):
    return kind(3, 8, **{"num_layers": 2, "dropout": 0.3, "dtype": "float64", "seed": 2} | options)


def test_what_is_dropped_and_how_the_rest_is_scaled():
    """A second layer that passes on what it reads shows the mask: 0, or the first layer's h over 1 − 0.3."""
    two, one = layers(nonlinearity="relu", bias=False), elman.RNN(3, 8, nonlinearity="relu", bias=False, dtype="float64")
    state = two.state_dict()
    state["weight_ih_l1"], state["weight_hh_l1"] = np.eye(8), np.zeros((8, 8))
    two.load_state_dict(state)
    one.load_state_dict({name: array for name, array in state.items() if name.endswith("l0")})
    h, y = one(X)[0], two(X)[0]
    dropped = (y == 0) & (h > 0)
    kept = (y > 0) & (h > 0)
    assert np.allclose(y[kept], h[kept] / 0.7, rtol=1e-12)
    assert (dropped | kept)[h > 0].all()
    # 9600 units, about half of them above 0: the share's standard deviation is below 0.007.
    assert dropped.sum() / (h > 0).sum() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("kind", [elman.RNN, elman.LSTM, elman.GRU])
def test_only_between_layers_and_only_while_training(kind):
    plain, dropping = layers(kind, dropout=0.0), layers(kind)
    y = plain(X)[0]
    first, second = dropping(X)[0], dropping(X)[0]
    assert (first != y).any() and (first != second).any(), "each call drops anew"
    again = layers(kind)
    assert (again(X)[0] == first).all() and (again(X)[0] == second).all(), "the same seed drops the same"
    assert (dropping.eval()(X)[0] == y).all()
    assert (dropping.train()(X)[0] != y).any()
    assert (layers(kind, num_layers=1)(X)[0] == layers(kind, num_layers=1, dropout=0.0)(X)[0]).all()


@pytest.mark.parametrize("kind", [elman.RNN, elman.LSTM, elman.GRU])
def test_the_gradient_is_that_of_what_was_dropped(kind):
    """Against central differences: fresh layers of the same seed drop the same."""
    x, lengths = X[:6, :3], [6, 2, 4]
    options = {"bidirectional": True, "num_layers": 3}
    made = layers(kind, **options)
    state, direction = made.state_dict(), np.random.default_rng(1)
    y, _ = made(x, lengths=lengths)
    dy = direction.standard_normal(y.shape)
    dy[2:, 1] = dy[4:, 2] = 0
    grads = made.backward(dy)
    along = {name: direction.standard_normal(array.shape) for name, array in state.items()}
    d_x = direction.standard_normal(x.shape)

    def loss(by):
        moved = layers(kind, **options)
        moved.load_state_dict({name: array + by * along[name] for name, array in state.items()})
        return (moved(x + by * d_x, lengths=lengths)[0] * dy).sum()

    # Of the fourth order: what the second leaves of the third derivative is as large as the tolerance.
    h = 1e-4
    expected = (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h)
    slope = sum((grads[name] * along[name]).sum() for name in along) + (grads["input"] * d_x).sum()
    assert slope == pytest.approx(expected, rel=1e-7)
