"""Take a trained PyTorch `nn.RNN`, diagnose it, speed it up.

The network was trained to say, at the end of 60 random bits, what the first of them was. It has learned nothing: its
gradient does not reach back so far. The microscope says so and says what to change; trained again as it says, with
the same optimiser and the same number of steps, the network learns it. Then the trained weights are run by elman:
equal outputs, in less time.

    python from_pytorch.py [--steps 400]
"""

import argparse
import time

import numpy as np
import torch

import elman

T, BATCH, HIDDEN = 60, 64, 32


class Recall(torch.nn.Module):
    """A plain recurrent network with a readout of its last state."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = torch.nn.RNN(1, HIDDEN)
        self.head = torch.nn.Linear(HIDDEN, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(x)[0][-1])[:, 0]


def bits(rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Sequences (T, BATCH, 1) whose first step is ±1 and whose others are small noise; and what that step was."""
    x = 0.1 * rng.standard_normal((T, BATCH, 1))
    first = rng.integers(2, size=BATCH)
    x[0, :, 0] = 2 * first - 1
    return torch.tensor(x, dtype=torch.float32), torch.tensor(first, dtype=torch.float32)


def train(model: Recall, steps: int) -> float:
    """Trains, and returns the share of new sequences that it gets right."""
    rng = np.random.default_rng(0)
    optimiser = torch.optim.Adam(model.parameters(), 0.002)
    for _ in range(steps):
        x, first = bits(rng)
        optimiser.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(model(x), first).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    with torch.no_grad():
        right = [((model(x) > 0) == (first > 0.5)).float().mean() for x, first in (bits(rng) for _ in range(10))]
    return float(torch.stack(right).mean())


def diagnose(model: Recall) -> elman.Diagnosis:
    """The microscope on the trained layers, with the gradient of the model's own loss."""
    rnn = elman.RNN(1, HIDDEN)
    rnn.load_state_dict(model.state_dict(), prefix="rnn.")
    x, first = bits(np.random.default_rng(1))
    y, _ = model.rnn(x)
    y.retain_grad()
    logits = model.head(y[-1])[:, 0]
    torch.nn.functional.binary_cross_entropy_with_logits(logits, first).backward()
    return elman.doctor(rnn, x.numpy(), y.grad.numpy())


def median_ms(run, times: int = 30) -> float:
    """Median time of a call."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        run()
        took.append(time.perf_counter() - begun)
    return 1e3 * float(np.median(took))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=400, help="steps of training")
    steps = parser.parse_args().steps
    torch.set_num_threads(1)  # small products gain nothing from more
    torch.manual_seed(0)
    model = Recall()
    print(f"trained as PyTorch starts it: {100 * train(model, steps):.0f} % right")
    print(diagnose(model))

    torch.manual_seed(0)
    model = Recall()
    torch.nn.init.orthogonal_(model.rnn.weight_hh_l0)  # what the microscope proposes: --init orthogonal --gain 1.0
    print(f"\ntrained from an orthogonal W_hh: {100 * train(model, steps):.0f} % right")
    print(diagnose(model).summary)

    rnn = elman.RNN(1, HIDDEN)
    rnn.load_state_dict(model.state_dict(), prefix="rnn.")
    x, _ = bits(np.random.default_rng(2))
    with torch.inference_mode():
        theirs = model.rnn(x)[0].numpy()
    ours, _ = rnn(x.numpy())
    difference = float(np.abs(ours - theirs).max())
    print(f"\nthe same weights in elman: largest difference {difference:.1e}")
    assert difference < 1e-5

    def pytorch() -> None:
        with torch.inference_mode():
            model.rnn(x)

    threads = torch.get_num_threads()
    elman.set_num_threads(threads)
    before, after = median_ms(pytorch), median_ms(lambda: rnn(x.numpy()))
    print(f"{T} steps of {BATCH} rows, {threads} threads: PyTorch {before:.2f} ms, elman {after:.2f} ms, "
          f"{before / after:.1f} times as fast")  # fmt: skip
    one, out = np.zeros(1, np.float32), np.empty(HIDDEN, np.float32)
    hidden, step = torch.zeros(1, 1, HIDDEN), torch.zeros(1, 1, 1)

    def pytorch_step() -> None:
        with torch.inference_mode():
            model.rnn(step, hidden)

    before, after = median_ms(pytorch_step, 300), median_ms(lambda: rnn.step(one, out), 300)
    print(f"one step of a stream: PyTorch {1e3 * before:.0f} µs, elman {1e3 * after:.1f} µs, "
          f"{before / after:.0f} times as fast")  # fmt: skip


if __name__ == "__main__":
    main()
