"""The layers apart from PyTorch: streaming, copies, threads, wrong input."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import elman

KINDS = [elman.RNN, elman.LSTM, elman.GRU]


def normal(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def h_of(state):
    return state[0] if isinstance(state, tuple) else state


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_streaming_equals_whole_to_the_bit(kind, dtype):
    layers = kind(3, 17, num_layers=2, dtype=dtype, seed=4)
    x = normal(50, 3, dtype=dtype)
    y, after = layers(x)
    out = np.empty(17, dtype)
    for t in range(50):
        assert layers.step(x[t], out=out) is out
        assert (out == y[t]).all(), t
    for whole, stepped in zip(np.atleast_3d(after), np.atleast_3d(layers.state), strict=True):
        assert (whole == stepped).all()
    layers.reset()
    assert (layers.step(x[0]) == y[0]).all()
    # Again from half-way.
    _, half = layers(x[:25])
    layers.reset(half)
    assert (layers.step(x[25]) == y[25]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_rows_and_lengths_and_strides_change_no_bit(kind):
    layers = kind(3, 9, num_layers=2, bidirectional=True, seed=1)
    x, lengths = normal(12, 5, 3), [12, 3, 7, 1, 12]
    y, after = layers(x, lengths=lengths)
    for row, length in enumerate(lengths):
        alone, own = layers(np.ascontiguousarray(x[:length, row]))
        assert (y[:length, row] == alone).all()
        assert (y[length:, row] == 0).all()
        assert (h_of(after)[:, row] == h_of(own)).all()
    # The same numbers, laid out otherwise.
    first = kind(3, 9, num_layers=2, bidirectional=True, batch_first=True, seed=1)
    by_row, _ = first(np.ascontiguousarray(x.transpose(1, 0, 2)), lengths=lengths)
    assert (by_row.transpose(1, 0, 2) == y).all()
    gaps = np.zeros((24, 5, 6), np.float32)[::2, :, ::2]
    gaps[...] = x
    backwards = np.ascontiguousarray(x[::-1])[::-1]
    for layout in (gaps, backwards, np.asfortranarray(x)):
        assert not layout.flags.c_contiguous
        assert (layers(layout, lengths=lengths)[0] == y).all()


def test_what_stands_after_the_end_is_never_read():
    layers = elman.GRU(2, 4)
    x = normal(6, 2, 2)
    y, _ = layers(x, lengths=[6, 2])
    grads = layers.backward(np.ones_like(y))
    x[2:, 1] = np.nan
    dy = np.ones_like(y)
    dy[2:, 1] = np.nan
    z, _ = layers(x, lengths=[6, 2])
    assert (y == z).all()
    assert all((a == grads[name]).all() for name, a in layers.backward(dy).items())
    assert (grads["input"][2:, 1] == 0).all()


def test_threads_change_no_bit():
    layers, x = elman.LSTM(4, 32), normal(30, 8, 4)
    before = elman.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3):
            elman.set_num_threads(threads)
            assert elman.get_num_threads() == threads
            y, _ = layers(x)
            results.append((y, layers.backward(np.ones_like(y))["weight_hh_l0"]))
    finally:
        elman.set_num_threads(before)
    for y, g in results[1:]:
        assert (y == results[0][0]).all() and (g == results[0][1]).all()
    for wrong in (0, 1000):
        with pytest.raises(ValueError, match=f"threads is {wrong}"):
            elman.set_num_threads(wrong)


def test_other_threads_run_meanwhile():
    """While one thread computes for a second or so, another must get on: the GIL is released."""
    layers, x = elman.RNN(64, 256), normal(400, 64, 64)
    done, ticks = threading.Event(), 0

    def compute():
        layers(x)
        done.set()

    worker = threading.Thread(target=compute)
    worker.start()
    while not done.wait(0.001):
        ticks += 1
    worker.join()
    assert ticks > 3, "the call held the GIL"


MEASURE = """
import resource, sys, numpy as np, elman
elman.set_num_threads(1)
batch_first = sys.argv[1] == "batch_first"
x = np.ones((1000, 1000, 32), np.float32)
rnn = elman.RNN(32, 1, batch_first=batch_first)
rnn(x[:10, :10])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rnn(x)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / x.nbytes)
"""


@pytest.mark.parametrize("layout", ["time_first", "batch_first"])
def test_the_input_is_not_copied(layout):
    """The engine packs its input once, which takes its size once; a copy on the way would make it twice."""
    program = [sys.executable, "-c", MEASURE, layout]
    ran = subprocess.run(program, capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 1.5, ran.stdout


def test_results_are_the_callers_own():
    layers, x = elman.RNN(2, 3), normal(4, 2, 2)
    y, _ = layers(x)
    kept = y.copy()
    layers(x + 1)
    assert (y == kept).all()
    layers.state_dict()["weight_hh_l0"][:] = 0
    assert (layers(x)[0] == kept).all()


def test_no_bias():
    layers = elman.LSTM(2, 3, bias=False)
    assert set(layers.state_dict()) == {"weight_ih_l0", "weight_hh_l0"}
    y, _ = layers(np.zeros((5, 2), np.float32))
    assert (y == 0).all(), "without biases zeros stay zeros"
    assert set(layers.backward(np.ones_like(y))) == {"weight_ih_l0", "weight_hh_l0", "input", "h0", "c0"}


def test_other_types_are_converted():
    layers = elman.RNN(1, 2, dtype="float64")
    y, _ = layers([[0], [1]])
    assert y.dtype == np.float64 and y.shape == (2, 2)
    assert layers.step([1]).shape == (2,)
    with pytest.raises(TypeError, match="complex128"):
        layers(np.zeros((2, 1), complex))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_has_threads_of_its_own():
    program = """
import os, numpy as np, elman
elman.set_num_threads(2)
rnn, x = elman.RNN(2, 64), np.ones((200, 8, 2), np.float32)
y, _ = rnn(x)
child = os.fork()
if child == 0:
    os._exit(0 if (rnn(x)[0] == y).all() and elman.get_num_threads() == 2 else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=60)


X = np.zeros((5, 2, 3), np.float32)
WRONG = [
    (lambda: elman.RNN(0, 3), "input_size is 0"),
    (lambda: elman.RNN(3, -1), "hidden_size is -1"),
    (lambda: elman.LSTM(3, 4, num_layers=0), "num_layers is 0"),
    (lambda: elman.RNN(2**30, 2**30, 2**30), "more parameters than any memory holds"),
    (lambda: elman.RNN(3, 4, nonlinearity="sine"), "'sine'"),
    (lambda: elman.RNN(3, 4, dtype="int8"), "int8"),
    (lambda: elman.RNN(3, 4, dropout=1.0), "dropout is 1.0"),
    (lambda: elman.RNN(3, 4)(X[..., :2]), r"\(5, 2, 2\).*3"),
    (lambda: elman.RNN(3, 4)(X[0, 0]), "1 axes"),
    (lambda: elman.RNN(3, 4)(X[:0]), r"\(0, 2, 3\)"),
    (lambda: elman.RNN(3, 4)(X[:, :0]), r"\(5, 0, 3\)"),
    (lambda: elman.RNN(3, 4)(X, np.zeros((1, 3, 4))), r"h0 has the shape \(1, 3, 4\), and \(1, 2, 4\)"),
    (lambda: elman.RNN(3, 4)(X[:, 0], np.zeros((1, 1, 4))), r"h0 has the shape \(1, 1, 4\), and \(1, 4\)"),
    (lambda: elman.LSTM(3, 4)(X, np.zeros((1, 2, 4))), r"pair \(h0, c0\)"),
    (lambda: elman.LSTM(3, 4)(X, (np.zeros((1, 2, 4)), np.zeros((1, 2, 5)))), r"c0 has the shape \(1, 2, 5\)"),
    (lambda: elman.RNN(3, 4)(X, lengths=[5]), r"lengths has the shape \(1,\), and \(2,\)"),
    (lambda: elman.RNN(3, 4)(X, lengths=[5, 0]), "sequence 1 has length 0.*5 steps"),
    (lambda: elman.RNN(3, 4)(X, lengths=[6, 5]), "sequence 0 has length 6"),
    (lambda: elman.RNN(3, 4)(X, lengths=[-1, 5]), "length -1"),
    (lambda: elman.RNN(3, 4).load_state_dict({}), "missing weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0"),
    (lambda: elman.RNN(3, 4).load_state_dict({"w": 1}, strict=True), "unknown w"),
    (lambda: elman.RNN(3, 4).load_state_dict({"bias_ih_l0": np.zeros(5)}, strict=False), r"\(5,\), and \(4,\)"),
    (lambda: elman.RNN(3, 4).load_state_dict({"bias_ih_l0": np.full(4, np.nan)}, strict=False), "not finite"),
    (lambda: elman.RNN(3, 4).step(np.zeros(2)), r"x has the shape \(2,\), and \(3,\)"),
    (lambda: elman.RNN(3, 4).step(np.zeros(3), out=np.zeros(3, np.float32)), r"out has the shape \(3,\), and \(4,\)"),
    (lambda: elman.RNN(3, 4).step(np.zeros(3), out=np.zeros(4)), "float32 without gaps"),
    (lambda: elman.RNN(3, 4).step(np.zeros(3), out=np.zeros(8, np.float32)[::2]), "without gaps"),
    (lambda: elman.RNN(3, 4, bidirectional=True).step(np.zeros(3)), "bidirectional"),
    (lambda: elman.RNN(3, 4).reset(np.zeros((2, 4))), r"h0 has the shape \(2, 4\), and \(1, 4\)"),
]


@pytest.mark.parametrize(("wrong", "says"), WRONG, ids=[says for _, says in WRONG])
def test_wrong_input_is_named(wrong, says):
    with pytest.raises(ValueError, match=says):
        wrong()


def test_wrong_gradients_are_named():
    layers = elman.LSTM(3, 4)
    with pytest.raises(RuntimeError, match="call the layers on x first"):
        layers.backward(np.zeros((5, 2, 4)))
    layers(X)
    with pytest.raises(ValueError, match=r"\(4, 2, 4\), and \(5, 2, 4\)"):
        layers.backward(np.zeros((4, 2, 4)))
    with pytest.raises(ValueError, match="dy has 2 axes, and y has 3"):
        layers.backward(np.zeros((5, 4)))
    with pytest.raises(ValueError, match=r"dc has the shape \(1, 2, 3\)"):
        layers.backward(np.zeros((5, 2, 4)), (np.zeros((1, 2, 4)), np.zeros((1, 2, 3))))
    layers.load_state_dict(layers.state_dict())
    with pytest.raises(RuntimeError, match="again after load_state_dict"):
        layers.backward(np.zeros((5, 2, 4)))


def test_a_refused_state_dict_changes_nothing():
    layers = elman.RNN(3, 4)
    before = layers.state_dict()
    bad = {name: array + 1 for name, array in before.items()} | {"bias_hh_l0": np.zeros(9)}
    with pytest.raises(ValueError, match="bias_hh_l0"):
        layers.load_state_dict(bad)
    assert all((array == before[name]).all() for name, array in layers.state_dict().items())


def test_a_level_that_there_is_not_is_said_at_import():
    env = dict(os.environ, ELMAN_LEVEL="avx1024")
    ended = subprocess.run([sys.executable, "-c", "import elman"], env=env, capture_output=True, text=True)
    assert ended.returncode != 0
    assert 'ValueError: ELMAN_LEVEL is "avx1024"' in ended.stderr
