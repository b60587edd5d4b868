"""Does `elman doctor` name what is wrong? Networks made sick in one known way each, and healthy ones: a confusion table.

python bench/sick_networks.py [--seeds 5] [--out FOLDER]      (needs numpy and target/release/elman)
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np

ELMAN = pathlib.Path(__file__).resolve().parent.parent / "target/release/elman"
STEPS = 100
ROWS = 1200
# So little that what a network was given is what the doctor sees, and enough for the run to be a run.
STILL = ["--epochs", "1", "--learning-rate", "1e-6", "--optimiser", "sgd", "--weight-decay", "0"]
LEARN = ["--epochs", "25", "--learning-rate", "0.003", "--patience", "0"]


def adding(rng):
    """Two marked numbers to be added (Hochreiter and Schmidhuber 1997)."""
    x = np.zeros((ROWS, STEPS, 2), np.float32)
    x[:, :, 0] = rng.uniform(0, 1, (ROWS, STEPS))
    first, second = rng.integers(0, STEPS // 2, ROWS), rng.integers(STEPS // 2, STEPS, ROWS)
    rows = np.arange(ROWS)
    x[rows, first, 1] = x[rows, second, 1] = 1
    return x, (x[rows, first, 0] + x[rows, second, 0]).astype(np.float32)


def recent(rng):
    """The sum of the last three numbers."""
    x, _ = adding(rng)
    return x, x[:, -3:, 0].sum(1)


def shuffled(rng):
    x, y = adding(rng)
    return x, rng.permutation(y)


def loud(rng):
    """Inputs far outside of where tanh is steep."""
    x, y = adding(rng)
    return (x - 0.5) * 60, y


# name, the verdict that is right, data, options that differ by the network's number.
CASES = [
    ("small gain", "vanishing-by-weights", adding, lambda i: ["--cell", "elman", "--gain", str(0.3 + 0.1 * i), *STILL]),
    ("saturated inputs", "vanishing-by-saturation", loud,
     lambda i: ["--cell", "elman", "--gain", "1", "--scale", "none", *STILL]),
    ("large gain", "exploding", adding,
     lambda i: ["--cell", ["elman-linear", "elman"][i % 2], "--gain", str([1.05, 1.9, 1.11, 2.5, 1.17][i % 5]),
                "--scale", "none", *STILL]),
    ("short window", "window-limited", adding,
     lambda i: ["--cell", ["elman-relu", "elman-linear"][i % 2], "--init", "identity", "--gain", "1",
                "--window", str(3 + 2 * i), *STILL]),
    ("shuffled targets", "task-needs-no-longer-memory", shuffled,
     lambda i: ["--cell", ["gru", "lstm"][i % 2], "--memory", "2,100", *LEARN]),
    ("short memory, learned", "task-needs-no-longer-memory", recent,
     lambda i: ["--cell", ["elman", "gru"][i % 2], "--gain", "0.7", *LEARN]),
    ("identity, ReLU", "healthy", adding,
     lambda i: ["--cell", "elman-relu", "--init", "identity", "--gain", "1", "--scale", "none", *STILL]),
    ("gates with long memory", "healthy", adding,
     lambda i: ["--cell", ["gru", "lstm"][i % 2], "--memory", f"{20 + 20 * i},200", *LEARN]),
]


def examine(folder, name, data, options, seed):
    rng = np.random.default_rng(seed)
    x, y = data(rng)
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", y)
    run = folder / f"{name.replace(' ', '-').replace(',', '')}-{seed}"
    train = [ELMAN, "train", folder / "x.npy", "--labels", folder / "y.npy", "--task", "regress", "--hidden", "32",
             "--seed", str(seed), "--read", "last", "--flow", "off", "--quiet", "--out", run, *options]
    subprocess.run(train, check=True, stdout=subprocess.DEVNULL)
    said = subprocess.run([ELMAN, "doctor", run, "--json"], check=True, capture_output=True, text=True)
    return json.loads(said.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as spare:
        folder = args.out or pathlib.Path(spare)
        folder.mkdir(parents=True, exist_ok=True)
        table, right = {}, 0
        for name, expected, data, options in CASES:
            for i in range(args.seeds):
                found = examine(folder, name, data, options(i), i + 1)
                cause = found["verdict"]["cause"]
                right += cause == expected
                row = table.setdefault((name, expected), {})
                row[cause] = row.get(cause, 0) + 1
                if cause != expected:
                    print(f"{name}, number {i + 1}: {found['verdict']['summary']}; also {found['verdict']['also']}", flush=True)
    total = len(CASES) * args.seeds
    print(f"\n{right} of {total} named rightly\n")
    print("| made | right | named |\n|---|---|---|")
    for (name, expected), row in table.items():
        print(f"| {name} | {expected} | " + ", ".join(f"{c} {n}" for c, n in sorted(row.items())) + " |")


if __name__ == "__main__":
    main()
