"""Models of one RNN, LSTM or GRU with any of its attributes, and the specification's equations in NumPy."""

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto, helper

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
DEFAULTS = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}

# Function of x, alpha, beta; and what alpha and beta are where they are not given (None: not used; "given": needed).
ACTIVATIONS = {
    "Relu": (lambda x, a, b: np.maximum(x, 0), None, None),
    "Tanh": (lambda x, a, b: np.tanh(x), None, None),
    "Sigmoid": (lambda x, a, b: 1 / (1 + np.exp(-x)), None, None),
    "Affine": (lambda x, a, b: a * x + b, "given", "given"),
    "LeakyRelu": (lambda x, a, b: np.where(x >= 0, x, a * x), 0.01, None),
    "ThresholdedRelu": (lambda x, a, b: np.where(x > a, x, 0), 1.0, None),
    "ScaledTanh": (lambda x, a, b: a * np.tanh(b * x), "given", "given"),
    "HardSigmoid": (lambda x, a, b: np.clip(a * x + b, 0, 1), 0.2, 0.5),
    "Elu": (lambda x, a, b: np.where(x >= 0, x, a * (np.exp(x) - 1)), 1.0, None),
    "Softsign": (lambda x, a, b: x / (1 + np.abs(x)), None, None),
    "Softplus": (lambda x, a, b: np.logaddexp(0, x), None, None),
}


@dataclass
class Case:
    operator: str
    attributes: dict
    inputs: dict  # in the operator's order; None where one is left out
    outputs: list
    dtype: type

    def model(self):
        names = [name if array is not None else "" for name, array in self.all_inputs.items()]
        while names and not names[-1]:
            names.pop()
        all_outputs = ["Y", "Y_h", "Y_c"] if self.operator == "LSTM" else ["Y", "Y_h"]
        outputs = [name if name in self.outputs else "" for name in all_outputs]
        while not outputs[-1]:
            outputs.pop()
        node = helper.make_node(self.operator, names, outputs, name="node", **self.attributes)
        kind = {np.float32: TensorProto.FLOAT, np.float64: TensorProto.DOUBLE}[self.dtype]
        ports = [
            helper.make_tensor_value_info(n, TensorProto.INT32 if n == "sequence_lens" else kind, a.shape)
            for n, a in self.inputs.items()
        ]
        # The sizes are left out: ONNX's own inference does not know those of layout 1.
        axes = {"Y": [None] * 4, "Y_h": [None] * 3, "Y_c": [None] * 3}
        made = [helper.make_tensor_value_info(n, kind, axes[n]) for n in self.outputs]
        graph = helper.make_graph([node], "g", ports, made)
        opset = [helper.make_opsetid("", 21)]
        return helper.make_model(graph, opset_imports=opset, ir_version=10)

    def runtime_has_it(self):
        """ONNX Runtime has no layout 1 and no 64-bit floats; and where ThresholdedRelu is given no alpha, it takes 0,
        while the specification has the default of the operator of that name, 1."""
        names = self.attributes.get("activations", [])
        using = [n for n in names if ACTIVATIONS[n][1] is not None]
        without = using[len(self.attributes.get("activation_alpha", [])) :]
        return self.dtype is np.float32 and not self.attributes.get("layout") and "ThresholdedRelu" not in without

    @property
    def all_inputs(self):
        order = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"]
        return {n: self.inputs.get(n) for n in order[: 8 if self.operator == "LSTM" else 6]}


def sample(random):
    """A case with every attribute there or not."""
    often = lambda p=0.5: random.random() < p
    operator = str(random.choice(["RNN", "GRU", "LSTM"]))
    direction = str(random.choice(["forward", "reverse", "bidirectional"]))
    d, g = 2 if direction == "bidirectional" else 1, GATES[operator]
    s, b, i, h = (int(random.integers(1, n)) for n in (7, 4, 5, 6))
    attributes = {"hidden_size": h}
    if direction != "forward" or often():
        attributes["direction"] = direction
    if often():
        names = [str(n) for n in random.choice(list(ACTIVATIONS), size=d * len(DEFAULTS[operator]))]
        attributes["activations"] = names
        for at, key in [(1, "activation_alpha"), (2, "activation_beta")]:
            using = [n for n in names if ACTIVATIONS[n][at] is not None]
            # Consumed in order: those that must be given make all before them given, too.
            needed = max([k + 1 for k, n in enumerate(using) if ACTIVATIONS[n][at] == "given"], default=0)
            count = len(using) if often() else needed
            if count:
                attributes[key] = [float(np.float32(x)) for x in random.uniform(0.1, 0.9, count)]
    if often(0.3):
        attributes["clip"] = float(np.float32(random.uniform(0.2, 1.5)))
    if operator == "GRU" and often():
        attributes["linear_before_reset"] = int(often())
    if operator == "LSTM" and often(0.3):
        attributes["input_forget"] = int(often())
    layout = int(often(0.25))
    if layout or often(0.2):
        attributes["layout"] = layout
    dtype = np.float64 if often(0.1) else np.float32
    normal = lambda *shape: (random.normal(size=shape) * 0.5).astype(dtype)
    swap = lambda x: x.swapaxes(0, 1).copy() if layout else x
    inputs = {"X": swap(normal(s, b, i)), "W": normal(d, g * h, i), "R": normal(d, g * h, h)}
    if often(0.7):
        inputs["B"] = normal(d, 2 * g * h)
    if often():
        # The runtime gives another last state to a row without steps, see test_onnx_reading.py: each row has a step.
        inputs["sequence_lens"] = random.integers(1, s + 1, size=b).astype(np.int32)
    if often():
        inputs["initial_h"] = swap(normal(d, b, h))
    if operator == "LSTM":
        if often():
            inputs["initial_c"] = swap(normal(d, b, h))
        if often():
            inputs["P"] = normal(d, 3 * h)
    all_outputs = ["Y", "Y_h", "Y_c"] if operator == "LSTM" else ["Y", "Y_h"]
    outputs = [name for name in all_outputs if often(0.8)] or ["Y_h"]
    return Case(operator, attributes, inputs, outputs, dtype)


def evaluate(case):
    """The outputs that are asked for, computed with 64-bit floats."""
    given = {n: None if a is None else a.astype(np.float64) for n, a in case.all_inputs.items()}
    layout = case.attributes.get("layout", 0)
    swap = lambda x: x.swapaxes(0, 1) if layout and x is not None else x
    x, w, r = swap(given["X"]), given["W"], given["R"]
    (steps, rows, _), (directions, _, hidden), gates = x.shape, r.shape, GATES[case.operator]
    bias = given["B"] if given["B"] is not None else np.zeros((directions, 2 * gates * hidden))
    lengths = case.inputs.get("sequence_lens", np.full(rows, steps))
    zeros = np.zeros((directions, rows, hidden))
    h0, c0 = (swap(given.get(n)) if given.get(n) is not None else zeros for n in ("initial_h", "initial_c"))
    peepholes = given.get("P") if given.get("P") is not None else np.zeros((directions, 3 * hidden))
    functions = activations(case, directions)
    y, y_h, y_c = np.zeros((steps, directions, rows, hidden)), zeros.copy(), zeros.copy()
    direction = case.attributes.get("direction", "forward")
    for d in range(directions):
        back = direction == "reverse" or d == 1
        each = len(functions) // directions
        step = STEPS[case.operator](
            w[d].reshape(gates, hidden, -1),
            r[d].reshape(gates, hidden, hidden),
            *bias[d].reshape(2, gates, hidden),
            peepholes[d].reshape(3, hidden),
            functions[d * each : (d + 1) * each],
            case.attributes,
        )
        for row, length in enumerate(lengths):
            h, c = h0[d, row], c0[d, row]
            for t in reversed(range(length)) if back else range(length):
                h, c = step(x[t, row], h, c)
                y[t, d, row] = h
            y_h[d, row], y_c[d, row] = h, c
    y = y.transpose(2, 0, 1, 3) if layout else y
    all_outputs = {"Y": y, "Y_h": swap(y_h), "Y_c": swap(y_c)}
    return [all_outputs[name].astype(case.dtype) for name in case.outputs]


def activations(case, directions):
    names = case.attributes.get("activations", DEFAULTS[case.operator] * directions)
    alphas = iter(case.attributes.get("activation_alpha", []))
    betas = iter(case.attributes.get("activation_beta", []))
    clip = case.attributes.get("clip")

    def one(at, name):
        f, alpha, beta = ACTIVATIONS[name]
        alpha = alpha if alpha is None else next(alphas, alpha)
        beta = beta if beta is None else next(betas, beta)
        # Of an LSTM, the gates' inputs alone: h reads the cell state as it is, as ONNX Runtime has it.
        reads_cell = case.operator == "LSTM" and at % 3 == 2
        bounded = (lambda x: x) if clip is None or reads_cell else (lambda x: np.clip(x, -clip, clip))
        return lambda x: f(bounded(x), alpha, beta)

    return [one(at, name) for at, name in enumerate(names)]


def rnn(w, r, wb, rb, p, functions, attributes):
    (f,) = functions
    return lambda x, h, c: (f(w[0] @ x + wb[0] + r[0] @ h + rb[0]), c)


def gru(w, r, wb, rb, p, functions, attributes):
    f, g = functions

    def step(x, h, c):
        z, reset = (f(w[k] @ x + wb[k] + r[k] @ h + rb[k]) for k in (0, 1))
        if attributes.get("linear_before_reset", 0):
            new = g(w[2] @ x + reset * (r[2] @ h + rb[2]) + wb[2])
        else:
            new = g(w[2] @ x + r[2] @ (reset * h) + rb[2] + wb[2])
        return (1 - z) * new + z * h, c

    return step


def lstm(w, r, wb, rb, p, functions, attributes):
    f, g, out = functions

    def step(x, h, c):
        z = [w[k] @ x + wb[k] + r[k] @ h + rb[k] for k in range(4)]
        i = f(z[0] + p[0] * c)
        forget = 1 - i if attributes.get("input_forget", 0) else f(z[2] + p[2] * c)
        c = forget * c + i * g(z[3])
        return f(z[1] + p[1] * c) * out(c), c

    return step


STEPS = {"RNN": rnn, "GRU": gru, "LSTM": lstm}
