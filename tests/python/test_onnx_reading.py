"""`elman onnx run` beside ONNX Runtime: kinds of numbers, operators at their limits, and graphs as exporters leave them."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from models import model_of, runtime

node = helper.make_node
ints = lambda *x: np.array(x, np.int64)
random = np.random.default_rng(5)
X = random.normal(size=(5, 3, 2)).astype(np.float32)
GRU = {n: random.normal(size=s).astype(np.float32) for n, s in [("W", (1, 12, 2)), ("R", (1, 12, 4)), ("B", (1, 24))]}


def gru(output="Y", attributes=()):
    return node("GRU", ["X", "W", "R", "B"], [output], hidden_size=4, **dict(attributes))


def compare(run, model, inputs):
    for mine, theirs in zip(run(model, inputs), runtime(model, inputs), strict=True):
        assert mine.dtype == theirs.dtype and mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


LARGEST = 2**63 - 1
CUTS = [
    *[(-100, -200, -1), (-6, -7, -1), (-100, -2, -1), (0, -100, -1), (4, -1, -1), (-1, -100, -2), (10, 0, -3)],
    *[(LARGEST, -LARGEST - 1, -1), (-1, -LARGEST - 1, -LARGEST - 1), (-100, 100, 2), (100, 200, 1), (3, 1, 1)],
    *[tuple(map(int, [*random.integers(-9, 9, 2), random.choice([-3, -2, -1, 1, 2])])) for _ in range(20)],
]


@pytest.mark.parametrize("size", [5, 1, 0])
def test_slices(size, run):
    """All cuts in one model, whose outputs are as many."""
    constants = {f"{what}{i}": ints(cut[at]) for i, cut in enumerate(CUTS) for at, what in enumerate("set")}
    names = [f"Y{i}" for i in range(len(CUTS))]
    nodes = [node("Slice", ["X", f"s{i}", f"e{i}", "axis", f"t{i}"], [f"Y{i}"]) for i in range(len(CUTS))]
    model = model_of(nodes, ["X"], names, {**constants, "axis": ints(-1)})
    compare(run, model, {"X": np.arange(2 * size, dtype=np.float32).reshape(2, size)})


@pytest.mark.parametrize("depth", [ints(3), np.float32(3), np.array([3.7], np.float32), np.array(3, np.int32)], ids=str)
@pytest.mark.parametrize("indices", [ints(0, 2, -1, -3, 7), np.array([0, 1.6, -1, -0.5, 9], np.float32)], ids=str)
def test_one_hot_of_any_numbers(depth, indices, run):
    """Fractions are cut off, as by a cast to int64; the runtime has not every pair of types, but int64 for those."""
    kinds = {"X": helper.np_dtype_to_tensor_dtype(indices.dtype)}
    made = lambda indices, depth: (
        model_of([node("OneHot", ["X", "d", "v"], ["Y"])], ["X"], ["Y"], {"d": depth, "v": np.float32([-1, 2])}, 21, kinds)
    )
    (mine,) = run(made(indices, depth), {"X": indices})
    kinds["X"] = TensorProto.INT64
    whole = indices.astype(np.int64)
    (theirs,) = runtime(made(whole, np.asarray(depth).astype(np.int64)), {"X": whole})
    np.testing.assert_array_equal(mine, theirs)


def test_a_mask_of_minus_infinity(run):
    mask = np.where(np.arange(5) < 3, 0, -np.inf).astype(np.float32).reshape(5, 1, 1, 1)
    nodes = [gru(), node("Add", ["Y", "m"], ["masked"]), node("Softmax", ["masked"], ["Z"], axis=0)]
    compare(run, model_of(nodes, ["X"], ["Z"], {**GRU, "m": mask}), {"X": X})


def test_truth_values(run):
    """As inputs, constants and outputs; cast from and to numbers."""
    nodes = [
        gru(),
        node("Cast", ["flag"], ["number"], to=TensorProto.FLOAT),
        node("Mul", ["Y", "number"], ["Z"]),
        node("Gather", ["yes", "which"], ["chosen"]),
        node("Cast", ["some"], ["are"], to=TensorProto.BOOL),
    ]
    kinds = {"flag": TensorProto.BOOL, "chosen": TensorProto.BOOL, "are": TensorProto.BOOL}
    constants = {**GRU, "yes": np.array([True, False, True]), "which": ints(2, 1), "some": np.float32([0, -0.0, 0.5, -3])}
    model = model_of(nodes, ["X", "flag"], ["Z", "chosen", "are"], constants, kinds=kinds)
    for flag in [True, False]:
        compare(run, model, {"X": X, "flag": np.array([flag])})


def test_weights_of_sixteen_bits(run):
    """As PyTorch exports a model whose weights were halved: each is cast before it is used."""
    halves = {f"{name}16": array.astype(np.float16) for name, array in GRU.items()}
    casts = [node("Cast", [f"{name}16"], [name], to=TensorProto.FLOAT) for name in GRU]
    compare(run, model_of([*casts, gru()], ["X"], ["Y"], halves), {"X": X})
    # Written number by number, as the format also allows it.
    model = model_of([*casts, gru()], ["X"], ["Y"], halves)
    for tensor in model.graph.initializer:
        bits = np.frombuffer(tensor.raw_data, np.uint16)
        tensor.ClearField("raw_data")
        tensor.int32_data[:] = bits.tolist()
    compare(run, model, {"X": X})


def test_what_nothing_uses_stops_no_model(run):
    unused = [node("Erf", ["Y"], ["erf"]), node("Cast", ["X"], ["half"], to=TensorProto.FLOAT16)]
    nodes = [gru(), *unused, node("Relu", ["Y"], ["Z"])]
    constants = {**GRU, "flag": np.array([True]), "short": np.array([1, 2], np.int16), "word": np.array(["a"], object)}
    compare(run, model_of(nodes, ["X"], ["Z"], constants), {"X": X})


def test_nodes_in_any_order(run):
    nodes = [gru(), node("Relu", ["Y"], ["a"]), node("Tanh", ["Y"], ["b"]), node("Add", ["a", "b"], ["Z"])]
    model = model_of(nodes, ["X"], ["Z"], GRU)
    (expected,) = runtime(model, {"X": X})
    for order in [[3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]]:
        (mine,) = run(model_of([nodes[at] for at in order], ["X"], ["Z"], GRU), {"X": X})
        np.testing.assert_allclose(mine, expected, rtol=1e-5, atol=1e-6)


def test_all_missing_operators_are_named_at_once(elman, tmp_path):
    nodes = [
        node("Conv", ["X", "X"], ["a"], name="first"),
        node("Conv", ["a", "X"], ["b"]),
        node("Gelu", ["b"], ["c"], domain="com.example", name="other"),
        node("Erf", ["c"], ["Y"]),
        node("Celu", ["c"], ["unused"]),
    ]
    path = tmp_path / "m.onnx"
    path.write_bytes(model_of(nodes, ["X"], ["Y"]).SerializeToString())
    said = elman("onnx", "info", path, fails=True)
    for words in ['Conv (2 nodes, the first: "first")', 'Gelu of the domain "com.example" (1 node: "other")', "Erf (1 node"]:
        assert words in said, said
    assert "Celu" not in said and said.count("\n") == 1, said


@pytest.mark.parametrize("operator", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
def test_rows_without_steps(operator, direction, run):
    """The specification says nothing of them. Y is zero, as in ONNX Runtime; the last state is the first, where the
    runtime gives zeros."""
    gates, d = {"RNN": 1, "GRU": 3, "LSTM": 4}[operator], 1 + (direction == "bidirectional")
    normal = lambda *shape: random.normal(size=shape).astype(np.float32)
    constants = {"W": normal(d, gates * 4, 2), "R": normal(d, gates * 4, 4), "h": normal(d, 3, 4), "c": normal(d, 3, 4)}
    names = ["X", "W", "R", "", "lengths", "h"] + ["c"] * (operator == "LSTM")
    outputs = ["Y", "Y_h"] + ["Y_c"] * (operator == "LSTM")
    if operator != "LSTM":
        del constants["c"]
    made = node(operator, names, outputs, hidden_size=4, direction=direction)
    model = model_of([made], ["X", "lengths"], outputs, constants, kinds={"lengths": TensorProto.INT32})
    inputs = {"X": X, "lengths": np.array([2, 0, 5], np.int32)}
    mine, theirs = run(model, inputs), runtime(model, inputs)
    np.testing.assert_allclose(mine[0], theirs[0], rtol=1e-5, atol=1e-6)
    for state, theirs, first in zip(mine[1:], theirs[1:], "hc"):
        np.testing.assert_array_equal(state[:, 1], constants[first][:, 1])
        np.testing.assert_array_equal(theirs[:, 1], 0)
        np.testing.assert_allclose(state[:, [0, 2]], theirs[:, [0, 2]], rtol=1e-5, atol=1e-6)
