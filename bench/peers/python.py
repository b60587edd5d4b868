"""PyTorch, JAX and ONNX Runtime. Speaks as rust/src/lib.rs tells; bench/peers.py starts it as `python.py PEER`.

Where there are several ways to run a workload, `load` tries each for a moment and keeps the fastest.
"""

import os
import sys
import time

import numpy as np


class Work:
    def __init__(self, words):
        self.folder, self.name, self.cell, self.mode = words[:4]
        self.threads, self.input, self.hidden, self.batch, self.steps = map(int, words[4:])
        self.gates = {"lstm": 4, "gru": 3}.get(self.cell, 1)
        self.stream = self.mode == "stream"

    def read(self, file, *shape):
        return np.fromfile(f"{self.folder}/{file}", "<f4").reshape(shape)

    def weights(self):
        rows = self.gates * self.hidden
        return (self.read("w_ih", rows, self.input), self.read("w_hh", rows, self.hidden),
                self.read("b_ih", rows), self.read("b_hh", rows))

    def x(self):
        return self.read("x", -1, 1 if self.stream else self.batch, self.input)

    def write(self, what, numbers):
        np.asarray(numbers, "<f4").tofile(f"{self.folder}/{self.name}.{what}")


def fastest(ways):
    """The fastest of several repetitions, by name; each gives how many steps it made."""
    least = {}
    for name, once in ways.items():
        once()
        times, begun = [], time.perf_counter()
        while len(times) < 3 or (time.perf_counter() - begun < 0.15 and len(times) < 50):
            clock = time.perf_counter()
            once()
            times.append(time.perf_counter() - clock)
        least[name] = min(times)
    name = min(least, key=least.get)
    return name, ways[name]


def pytorch(w):
    import torch

    torch.set_num_threads(w.threads)
    kind = {"elman": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[w.cell]
    net = kind(w.input, w.hidden)
    with torch.no_grad():
        for parameter, numbers in zip(net.parameters(), w.weights()):
            parameter.copy_(torch.from_numpy(numbers))
    x = torch.from_numpy(w.x())
    if w.stream:
        return pytorch_stream(w, torch, net, x)
    if w.mode == "infer":
        def once():
            with torch.inference_mode():
                return net(x)[0]

        w.write("y", once().numpy())
        return "nn module", lambda: once() is not None

    def once():
        net.zero_grad(set_to_none=True)
        y = net(x)[0]
        y.square().mean().backward()
        return y

    w.write("y", once().detach().numpy())
    for name, parameter in zip(("w_ih", "w_hh", "b_ih", "b_hh"), net.parameters()):
        w.write(name, parameter.grad.numpy())
    return "nn module", lambda: once() is not None


def pytorch_stream(w, torch, net, x):
    weights = [p.detach().clone() for p in net.parameters()]
    rows = [x[t] for t in range(64)]
    zero = torch.zeros(1, w.hidden)
    states = (zero, zero) if w.cell == "lstm" else zero
    cell = {"elman": torch.rnn_tanh_cell, "lstm": torch.lstm_cell, "gru": torch.gru_cell}[w.cell]
    first = (lambda s: s[0]) if w.cell == "lstm" else (lambda s: s)

    def operator(x, state):
        return cell(x, state, *weights)

    w_ih, w_hh, bias = weights[0].t().contiguous(), weights[1].t().contiguous(), weights[2] + weights[3]

    def plain(x, h):
        return torch.addmm(torch.addmm(bias, x, w_ih), h, w_hh).tanh_()

    class Step(torch.nn.Module):
        def forward(self, x, state):
            return cell(x, state, *weights)

    steps = {"cell operator": operator}
    if w.cell == "elman":
        steps["addmm and tanh"] = plain
    with torch.inference_mode():
        traced = torch.jit.trace(operator if w.cell != "lstm" else lambda x, h, c: cell(x, (h, c), *weights),
                                 (rows[0], states) if w.cell != "lstm" else (rows[0], *states))
        traced = torch.jit.freeze(traced) if isinstance(traced, torch.jit.ScriptModule) else traced
        steps["traced"] = traced if w.cell != "lstm" else lambda x, s: traced(x, *s)

    def run(step, keep=None):
        with torch.inference_mode():
            state = states
            for row in rows:
                state = step(row, state)
                if keep is not None:
                    keep.append(first(state).numpy().copy())
        return 64

    def module(keep=None):
        with torch.inference_mode():
            state = tuple(s[None] for s in states) if w.cell == "lstm" else states[None]
            for row in rows:
                y, state = net(row[None], state)
        return 64

    ways = {name: (lambda s=step: run(s)) for name, step in steps.items()}
    ways["nn module"] = module
    kept = []
    run(operator, kept)
    w.write("y", np.concatenate(kept))
    return fastest(ways)


def jax(w):
    flags = "--xla_cpu_multi_thread_eigen=false" if w.threads == 1 else ""
    os.environ.setdefault("XLA_FLAGS", flags)
    import jax
    import jax.numpy as jnp

    h_size = w.hidden

    def step(params, z, state):
        h, c = state
        _, w_hh, _, b_hh = params
        q = h @ w_hh.T + b_hh
        if w.cell == "elman":
            return jnp.tanh(z + q), c
        if w.cell == "lstm":
            i, f, g, o = jnp.split(z + q, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return jax.nn.sigmoid(o) * jnp.tanh(c), c
        r, u = jnp.split(jax.nn.sigmoid(z[:, : 2 * h_size] + q[:, : 2 * h_size]), 2, axis=-1)
        n = jnp.tanh(z[:, 2 * h_size :] + r * q[:, 2 * h_size :])
        return n + u * (h - n), c

    def outputs(params, x, unroll):
        z = x @ params[0].T + params[2]
        zero = jnp.zeros((x.shape[1], h_size))

        def body(state, z):
            state = step(params, z, state)
            return state, state[0]

        return jax.lax.scan(body, (zero, zero), z, unroll=unroll)[1]

    params = tuple(map(jnp.asarray, w.weights()))
    x = jnp.asarray(w.x())
    if w.stream:
        one = jax.jit(lambda p, x, s: step(p, x @ p[0].T + p[2], s))
        rows = [x[t] for t in range(64)]
        zero = (jnp.zeros((1, h_size)),) * 2

        def once(keep=None):
            state = zero
            for row in rows:
                state = one(params, row, state)
                if keep is not None:
                    keep.append(np.asarray(state[0]))
            state[0].block_until_ready()
            return 64

        compiled = one.lower(params, rows[0], zero).compile()

        def ahead():
            state = zero
            for row in rows:
                state = compiled(params, row, state)
            state[0].block_until_ready()
            return 64

        kept = []
        once(kept)
        w.write("y", np.concatenate(kept))
        return fastest({"jit": once, "compiled": ahead})
    unrolls = (1, 4, 16) if w.hidden < 512 else (1, 4)
    if w.mode == "infer":
        ways = {}
        for unroll in unrolls:
            run = jax.jit(lambda p, x, u=unroll: outputs(p, x, u))
            ways[f"unroll {unroll}"] = lambda run=run: run(params, x).block_until_ready() is not None
        w.write("y", jax.jit(lambda p, x: outputs(p, x, 1))(params, x))
        return fastest(ways)
    ways = {}
    for unroll in unrolls:
        def loss(params, x, u=unroll):
            y = outputs(params, x, u)
            return jnp.mean(y * y), y

        run = jax.jit(jax.value_and_grad(loss, has_aux=True))
        ways[f"unroll {unroll}"] = lambda run=run: jax.block_until_ready(run(params, x)) is not None
    (_, y), gradients = run(params, x)
    w.write("y", y)
    for name, gradient in zip(("w_ih", "w_hh", "b_ih", "b_hh"), gradients):
        w.write(name, gradient)
    return fastest(ways)


def onnxruntime(w):
    if w.mode == "train":
        raise ValueError("its package does not train")
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = w.threads, 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(f"{w.folder}/net.onnx", options, providers=["CPUExecutionProvider"])
    x = w.x()
    states = 2 if w.cell == "lstm" else 1
    zero = [np.zeros((1, x.shape[1], w.hidden), "f4")] * states
    names = ["h", "c"][:states]
    rows = [x[t : t + 1] for t in range(64)] if w.stream else [x]

    def once(keep=None):
        state = zero
        for row in rows:
            y, *state = session.run(None, {"x": row, **dict(zip(names, state))})
            if keep is not None:
                keep.append(y.reshape(-1, x.shape[1], w.hidden))
        return len(rows)

    def value(a):
        return ort.OrtValue.ortvalue_from_numpy(a)

    bindings = []
    ends = [[value(z.copy()) for z in zero] for _ in range(2)]
    out = value(np.zeros((rows[0].shape[0], 1, x.shape[1], w.hidden), "f4"))
    for t, row in enumerate(rows):
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", value(np.ascontiguousarray(row)))
        binding.bind_ortvalue_output("y", out)
        for s, name in enumerate(names):
            binding.bind_ortvalue_input(name, ends[t % 2][s])
            binding.bind_ortvalue_output(f"{name}_after", ends[1 - t % 2][s])
        bindings.append(binding)

    def bound():
        for binding in bindings:
            session.run_with_iobinding(binding)
        return len(rows)

    kept = []
    once(kept)
    w.write("y", np.concatenate(kept))
    return fastest({"run": once, "bound": bound})


def main():
    peer = {"pytorch": pytorch, "jax": jax, "onnxruntime": onnxruntime}[sys.argv[1]]
    once = None
    # What a library prints must not be taken for an answer.
    answers, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
    for line in sys.stdin:
        verb, *words = line.split()
        if verb == "load":
            once = None
            try:
                name, once = peer(Work(words))
                answer = f"ok {name}"
            except Exception as error:
                answer = f"no {error}".replace("\n", " ")[:300]
        else:
            times, begun = [], time.perf_counter()
            while not times or time.perf_counter() - begun < float(words[0]):
                clock = time.perf_counter()
                parts = once()
                times.append((time.perf_counter() - clock) / parts)
            answer = " ".join(f"{t:e}" for t in times)
        print(answer, file=answers, flush=True)


if __name__ == "__main__":
    main()
