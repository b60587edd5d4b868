"""The microscope from Python, against what is known."""

import numpy as np
import pytest

import elman


def layers(radius, hidden=16, kind=elman.RNN, **options):
    """Layers whose W_hh is orthogonal times ``radius``."""
    made = kind(1, hidden, dtype="float64", **options)
    state = made.state_dict()
    q, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((hidden, hidden)))
    state["weight_hh_l0"] = radius * q
    state["weight_ih_l0"] *= 0.01
    for name in state:
        if name.startswith("bias"):
            state[name][:] = 0
    made.load_state_dict(state)
    return made


X = 0.1 * np.sin(0.3 * np.arange(80.0))[:, None, None]


@pytest.mark.parametrize("radius", [0.5, 0.8])
def test_the_decay_is_that_of_the_weights(radius):
    """A network that stays near 0 is linear: its gradient shrinks by the weights' radius at each step."""
    found = elman.doctor(layers(radius), X)
    ln_mean = found.figures["lag"]["ln_mean"]
    assert isinstance(ln_mean, np.ndarray) and len(ln_mean) == 80
    slope = np.polyfit(np.arange(40), ln_mean[:40], 1)[0]
    assert slope == pytest.approx(np.log(radius), abs=0.01)


@pytest.mark.parametrize(("radius", "cause"), [(0.5, "vanishing by weights"), (1.3, "exploding")])
def test_the_verdict_follows_the_weights(radius, cause):
    found = elman.doctor(layers(radius), np.zeros_like(X))
    assert found.cause == cause and cause in str(found)
    assert found.evidence and found.proposals[0]["option"].startswith("--")


def test_loss_and_lengths_reach_the_microscope():
    made = layers(0.8)
    x = np.repeat(X, 3, axis=1)
    y, _ = made(x)
    dy = np.zeros_like(y)
    dy[39] = 1
    whole = elman.doctor(made, x, dy).figures["lag"]["ln_mean"]
    short = elman.doctor(made, x, lengths=[40, 40, 40]).figures["lag"]["ln_mean"]
    assert len(whole) == len(short) == 40 and np.allclose(whole, short, atol=1e-12)


def test_the_gradient_is_that_of_backward():
    """‖∂L/∂h_0‖ of backward is one step beyond the microscope's longest lag, ∂L/∂h_1, and W_hh = 0.9 Q lies between."""
    made = layers(0.9)
    x = 1e-3 * X
    y, _ = made(x)
    dy = np.zeros_like(y)
    dy[-1] = 1
    before = np.log(np.linalg.norm(made.backward(dy)["h0"]))
    last = elman.doctor(made, x, dy).figures["lag"]["ln_mean"][-1]
    assert before == pytest.approx(last + np.log(0.9), abs=1e-6)


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match="bidirectional"):
        elman.doctor(elman.RNN(1, 2, bidirectional=True), X)
    with pytest.raises(ValueError, match="sequence 0 has length 99"):
        elman.doctor(elman.RNN(1, 2), X, lengths=[99])
    with pytest.raises(ValueError, match="last axis must be 2"):
        elman.doctor(elman.RNN(1, 2), X, np.zeros((80, 1, 3)))


def test_a_trained_model_on_its_own_data(wave, quick):
    model = elman.train(wave, **quick | {"burn_in": 4}).model
    found = elman.doctor(model, sequences=4, steps=40)
    lag = found.figures["lag"]
    assert found.figures["about"]["sequences"] == 4 and found.figures["about"]["longest"] == 40
    assert lag["loss_times"] > 0 and np.isfinite(lag["ln_mean"]).all()
    assert "4 of 4 rows" in found.data and found.explained < 1
    # What the training tells, as the command says it.
    assert any("Gradient norm in training" in line for line in found.evidence)
    with pytest.raises(ValueError, match="leave x"):
        elman.doctor(model, wave)
    with pytest.raises(ValueError, match="give x"):
        elman.doctor(elman.RNN(1, 2))


def test_a_trained_model_that_answers_with_the_mean_of_all_steps():
    x = np.random.default_rng(0).standard_normal((20, 10)).cumsum(axis=1)
    model = elman.train(x, x[:, -1] > 0, hidden=4, epochs=2, progress=False, read="mean").model
    # Only the last step of a row is as far from its begin as the longest lag.
    lag = elman.doctor(model, max_lag=4).figures["lag"]
    assert lag["loss_times"] > 16, "every step has its share of the loss"


def test_nan_makes_every_figure_nan():
    made = layers(0.5)
    found = elman.doctor(made, X, np.zeros((80, 1, 16)) + np.nan)
    assert found.cause == "not a number" and np.isnan(found.figures["decay"]["beta"])
    assert found.figures["decay"]["percent"] == {"is": "undefined"}


def test_fixed_points_and_all_exponents():
    found = elman.doctor(layers(0.5), X, fixed_points="zero", exponents="all")
    assert found.figures["fixed_points"]["input_from"] == "zero"
    assert len(found.figures["lyapunov"]["exponents"]) == 16
