"""RNN, LSTM and GRU as ONNX nodes beside ONNX Runtime: one thread, S400 B16 I128 H256, in turns.

    cargo build --release -p elman-io --example onnx_time
    target/python/bin/python bench/onnx_runtime.py [REPETITIONS]

`target/python` is made by `cargo xtask python`.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).parents[1]
SIZES = dict(steps=400, rows=16, inputs=128, hidden=256)
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def model(operator, attributes, steps, rows, inputs, hidden):
    random = np.random.default_rng(1)
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    gates = GATES[operator] * hidden
    weight = lambda *shape: random.uniform(-1, 1, shape).astype(np.float32) / np.float32(hidden**0.5)
    tensors = {
        "W": weight(directions, gates, inputs),
        "R": weight(directions, gates, hidden),
        "B": weight(directions, 2 * gates),
    }
    node = helper.make_node(operator, ["X", *tensors], ["Y"], hidden_size=hidden, **attributes)
    port = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(
        [node],
        "g",
        [port("X", [steps, rows, inputs])],
        [port("Y", [steps, directions, rows, hidden])],
        [numpy_helper.from_array(array, name) for name, array in tensors.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def compare(name, operator, attributes, repetitions):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(model(operator, attributes, **SIZES).SerializeToString())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        shape = [SIZES["steps"], SIZES["rows"], SIZES["inputs"]]
        at = np.arange(np.prod(shape)) * 7919 % 2003
        x = ((at / 1001.5 - 1) * 0.5).astype(np.float32).reshape(shape)
        command = [ROOT / "target/release/examples/onnx_time", path, "X", *map(str, shape)]
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        with subprocess.Popen(command, **pipes) as elman:

            def ours():
                elman.stdin.write("\n")
                elman.stdin.flush()
                return float(elman.stdout.readline())

            def theirs():
                start = time.perf_counter()
                session.run(None, {"X": x})
                return time.perf_counter() - start

            # The first runs warm the caches up.
            pairs = np.array([(ours(), theirs()) for _ in range(repetitions + 2)][2:])
            elman.stdin.close()
    (fast, their_fast), (median, their_median) = pairs.min(0), np.median(pairs, 0)
    print(
        f"{name:22} elman {fast * 1e3:7.1f} ms, ONNX Runtime {their_fast * 1e3:7.1f} ms"
        f"   fastest {fast / their_fast:5.2f}x, median {median / their_median:5.2f}x"
    )


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    print(f"onnxruntime {onnxruntime.__version__}, one thread, {SIZES}")
    compare("RNN", "RNN", {}, count)
    compare("RNN Relu", "RNN", {"activations": ["Relu"]}, count)
    compare("LSTM", "LSTM", {}, count)
    compare("GRU", "GRU", {}, count)
    compare("GRU after the product", "GRU", {"linear_before_reset": 1}, count)
    compare("LSTM both ways", "LSTM", {"direction": "bidirectional"}, count)
