"""`elman onnx run` beside the ONNX package's own recurrent tests, ONNX Runtime, and the specification's equations."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.backend.test.case.node import collect_testcases

from models import model_of, runtime
from recurrent import evaluate, sample

NODE_TESTS = [
    case
    for case in collect_testcases(None)
    if case.model and case.model.graph.node[-1].op_type in ("RNN", "LSTM", "GRU")
]


def test_the_package_has_the_eighteen_recurrent_tests():
    assert len({case.name for case in NODE_TESTS}) == 18


@pytest.mark.parametrize("case", NODE_TESTS, ids=lambda case: case.name)
def test_the_nodes_of_the_onnx_package(case, run):
    for inputs, outputs in case.data_sets:
        names = [i.name for i in case.model.graph.input]
        made = run(case.model, dict(zip(names, inputs)))
        assert len(made) == len(outputs)
        for mine, theirs in zip(made, outputs):
            assert mine.dtype == theirs.dtype and mine.shape == theirs.shape
            np.testing.assert_allclose(mine, theirs, rtol=case.rtol, atol=case.atol)


def test_generated_models(run):
    """Five hundred models over the combinations of the attributes, beside the specification's equations in NumPy, and
    beside ONNX Runtime where it has them."""
    random = np.random.default_rng(1)
    beside_runtime = 0
    for number in range(500):
        case = sample(random)
        model = case.model()
        onnx.checker.check_model(model)
        made = run(model, case.inputs)
        expected = evaluate(case)
        for name, mine, theirs in zip(case.outputs, made, expected):
            assert mine.dtype == theirs.dtype, f"{number}: {case}"
            np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5, err_msg=f"{number} {name}: {case}")
        if case.runtime_has_it():
            for name, mine, theirs in zip(case.outputs, made, runtime(model, case.inputs)):
                np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5, err_msg=f"{number} {name}: {case}")
            beside_runtime += 1
    assert beside_runtime >= 300


def around():
    """The plain operators, each with its less usual arguments: nodes, constants."""
    node = helper.make_node
    ints = lambda *x: np.array(x, np.int64)
    weight = np.random.default_rng(2).normal(size=(4, 3)).astype(np.float32)
    yield "MatMul", [node("MatMul", ["X", "w"], ["Y"])], {"w": weight}
    yield "Gemm", [
        node("Reshape", ["X", "s"], ["M"]),
        node("Gemm", ["M", "w", "c"], ["Y"], alpha=0.5, beta=2.0, transA=1, transB=1),
    ], {"s": ints(3, -1), "w": weight, "c": weight[:, 0]}
    yield "Add", [node("Add", ["X", "c"], ["Y"])], {"c": weight[:3, :1]}
    yield "Squeeze", [node("Unsqueeze", ["X", "a"], ["U"]), node("Squeeze", ["U", "a"], ["Y"])], {"a": ints(-1, 0)}
    yield "Transpose", [node("Transpose", ["X"], ["Y"], perm=[2, 0, 1])], {}
    yield "Concat", [node("Concat", ["X", "X"], ["Y"], axis=-2)], {}
    yield "Slice", [node("Slice", ["X", "s", "e", "a", "t"], ["Y"])], {
        "s": ints(-1, 0), "e": ints(-9, 2), "a": ints(2, 0), "t": ints(-2, 1),
    }
    yield "Identity", [node("Identity", ["X"], ["Y"])], {}
    yield "Softmax", [node("Softmax", ["X"], ["Y"], axis=1)], {}
    yield "Relu", [node("Relu", ["X"], ["Y"])], {}
    yield "Tanh", [node("Tanh", ["X"], ["Y"])], {}
    yield "Sigmoid", [node("Sigmoid", ["X"], ["Y"])], {}
    constant = helper.make_tensor("v", TensorProto.FLOAT, [1, 4], [1.0, 2.0, 3.0, 4.0])
    yield "Constant", [node("Constant", [], ["c"], value=constant), node("Add", ["X", "c"], ["Y"])], {}
    yield "Reshape", [node("Reshape", ["X", "s"], ["Y"])], {"s": ints(0, -1)}
    yield "Gather", [node("Gather", ["X", "i"], ["Y"], axis=1)], {"i": np.array([[0, -1], [1, 1]], np.int64)}


@pytest.mark.parametrize("name, nodes, constants", list(around()), ids=lambda x: x if isinstance(x, str) else "")
def test_plain_operators(name, nodes, constants, run):
    model = model_of(nodes, ["X"], ["Y"], constants)
    x = np.random.default_rng(3).normal(size=(2, 3, 4)).astype(np.float32)
    (theirs,) = runtime(model, {"X": x})
    (mine,) = run(model, {"X": x})
    assert mine.shape == theirs.shape
    np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "node, words",
    [
        (helper.make_node("Conv", ["X", "X"], ["Y"], name="first"), ["operator", "Conv", "first"]),
        (helper.make_node("Softmax", ["X"], ["Y"], name="n", temperature=2), ["attribute", "temperature", "Softmax"]),
        (helper.make_node("RNN", ["X", "X", "X"], ["Y"], name="r", activations=["Gelu"]), ["RNN", '"r"', "Gelu"]),
        (helper.make_node("Relu", ["Z"], ["Y"], name="r"), ["Relu", '"Z"', "nothing makes"]),
    ],
    ids=["operator", "attribute", "activation", "input"],
)
def test_what_is_not_supported_is_named(node, words, elman, tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(model_of([node], ["X"], ["Y"]).SerializeToString())
    said = elman("onnx", "run", path, "--output-dir", tmp_path / "out", fails=True)
    assert said.count("\n") == 1 and all(word in said for word in words), said


def test_weights_beside_the_model_but_nowhere_else(elman, run, tmp_path):
    constant = np.arange(4, dtype=np.float32)
    model = model_of([helper.make_node("Add", ["X", "c"], ["Y"])], ["X"], ["Y"], {"c": constant})
    tensor = model.graph.initializer[0]
    (tmp_path / "beside.bin").write_bytes(bytes(8) + tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entries = {"location": "beside.bin", "offset": "8", "length": "16"}
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    x = np.ones(4, np.float32)
    np.testing.assert_array_equal(run(model, {"X": x})[0], x + constant)
    tensor.external_data[0].value = "./beside.bin"
    np.testing.assert_array_equal(run(model, {"X": x})[0], x + constant)
    (tmp_path / "link.bin").symlink_to("/etc/passwd")
    outside = ["../beside.bin", "./../beside.bin", "a/../beside.bin", "/etc/passwd", "link.bin"]
    for location in [*outside, ".", "./", "", "nothing.bin"]:
        tensor.external_data[0].value = location
        path = tmp_path / "m.onnx"
        path.write_bytes(model.SerializeToString())
        said = elman("onnx", "info", path, fails=True)
        assert said.count("\n") == 1 and Path(location).name in said, said


def hostile():
    """Models that the format allows to be written, and that no reader may fall over."""
    node = helper.make_node
    yield "a circle", model_of([node("Relu", ["b"], ["a"]), node("Relu", ["a"], ["b"])], ["X"], ["a"]), "cycle"
    yield "itself", model_of([node("Add", ["X", "a"], ["a"])], ["X"], ["a"]), "cycle"
    for dims, word in [([-1], "negative"), ([2**62, 2**62], "counted"), ([2**33], "bytes")]:
        model = model_of([node("Add", ["X", "c"], ["a"])], ["X"], ["a"], {"c": np.ones(1, np.float32)})
        model.graph.initializer[0].dims[:] = dims
        yield f"sizes {dims}", model, word
    nan = {"c": np.array([1, np.nan], np.float32)}
    yield "NaN", model_of([node("Add", ["X", "c"], ["a"])], ["X"], ["a"], nan), "NaN"


@pytest.mark.parametrize("name, model, word", list(hostile()), ids=lambda x: x if isinstance(x, str) else "")
def test_hostile_models(name, model, word, elman, tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    said = elman("onnx", "info", path, fails=True)
    assert said.count("\n") == 1 and str(path) in said and word in said, said
