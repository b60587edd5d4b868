"""Does `elman doctor` name what is wrong, and does what it proposes help? Networks made sick in one known way each, and
healthy ones: a confusion table. Then those that a change can cure, trained on the adding problem as they are, and with the
first option that the doctor proposes.

python bench/sick_networks.py [--seeds 5] [--out FOLDER]      (needs numpy and target/release/elman; five minutes)
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np

ELMAN = pathlib.Path(__file__).resolve().parent.parent / "target/release/elman"
STEPS = 100
ROWS = 10_000
# So little that what a network was given is what the doctor sees, and enough for the run to be a run.
STILL = ["--epochs", "1", "--learning-rate", "1e-6", "--optimiser", "sgd", "--weight-decay", "0"]
LEARN = ["--epochs", "15", "--learning-rate", "0.003", "--patience", "0", "--batch", "20"]
# Of the squared error of always saying the mean.
LEARNED = 0.2


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


# name, the verdict that is right, data, options of the network's number i, whether it is trained before it is looked at.
CASES = [
    ("small gain", "vanishing-by-weights", adding, lambda i: ["--cell", "elman", "--gain", str(0.3 + 0.1 * i)], False),
    ("saturated inputs", "vanishing-by-saturation", loud,
     lambda i: ["--cell", "elman", "--gain", "1", "--scale", "none"], False),
    ("large gain", "exploding", adding,
     lambda i: ["--cell", "elman", "--gain", str(2.5 + 0.5 * i)], False),
    ("short window", "window-limited", adding,
     lambda i: ["--cell", "elman-relu", "--init", "identity", "--gain", "1", "--window", str(2 + i)], False),
    ("shuffled targets", "task-needs-no-longer-memory", shuffled,
     lambda i: ["--cell", ["gru", "lstm"][i % 2], "--memory", "2,100"], True),
    ("short memory, learned", "task-needs-no-longer-memory", recent,
     lambda i: ["--cell", ["elman", "gru"][i % 2], "--gain", "0.7"], True),
    ("identity, ReLU", "healthy", adding,
     lambda i: ["--cell", "elman-relu", "--init", "identity", "--gain", "1", "--scale", "none"], False),
    ("gates with long memory", "healthy", adding,
     lambda i: ["--cell", ["gru", "lstm"][i % 2], "--memory", f"{20 + 20 * i},200"], True),
]
CURABLE = ["vanishing-by-weights", "vanishing-by-saturation", "exploding", "window-limited"]


def pairs(options):
    """--name value --name value, as a dictionary, so that later ones take the place of earlier ones."""
    return dict(zip(options[::2], options[1::2], strict=True))


def train(folder, seed, run, *options):
    """Trains a run; the best loss on its validation part, as a share of the variance of the targets."""
    merged = {}
    for some in options:
        merged.update(pairs(some))
    command = [ELMAN, "train", folder / "x.npy", "--labels", folder / "y.npy", "--task", "regress", "--hidden", "32",
               "--seed", str(seed), "--read", "last", "--flow", "off", "--quiet", "--out", run]
    command += [word for pair in merged.items() for word in pair]
    ended = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if ended.returncode != 0:
        return float("inf"), ended.stderr.strip()
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return min(json.loads(line)["validation_loss"] for line in lines), ""


def examine(folder, kind, number):
    """What the doctor says of a network, and whether it learns as it is, and with the first option proposed."""
    name, expected, data, options, trained = kind
    seed, options = number + 1, options(number)
    rng = np.random.default_rng(seed)
    x, y = data(rng)
    np.save(folder / "x.npy", x)
    # Of variance 1, so that a squared error is a share of it, whatever the scaling.
    np.save(folder / "y.npy", (y - y.mean()) / y.std())
    run = folder / f"{name.replace(' ', '-').replace(',', '')}-{seed}"
    _, error = train(folder, seed, run, options, LEARN if trained else STILL)
    if error:
        raise SystemExit(error)
    said = subprocess.run([ELMAN, "doctor", run, "--json"], check=True, capture_output=True, text=True)
    verdict = json.loads(said.stdout)["verdict"]
    if expected not in CURABLE:
        return verdict, None
    before, _ = train(folder, seed, run.with_name(run.name + "-as-it-is"), options, LEARN)
    proposed = verdict["proposals"][0]["option"] if verdict["proposals"] else ""
    after, _ = train(folder, seed, run.with_name(run.name + "-changed"), options, proposed.split(), LEARN)
    return verdict, (before, proposed, after)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()
    table, cures, right = {}, {}, 0
    with tempfile.TemporaryDirectory() as spare:
        folder = args.out or pathlib.Path(spare)
        folder.mkdir(parents=True, exist_ok=True)
        for kind in CASES:
            name, expected = kind[:2]
            for number in range(args.seeds):
                verdict, cure = examine(folder, kind, number)
                cause = verdict["cause"]
                right += cause == expected
                row = table.setdefault((name, expected), {})
                row[cause] = row.get(cause, 0) + 1
                print(f"{name}, number {number + 1}: {verdict['summary']}", flush=True)
                if cure:
                    print("    error {:.3f}; with {}: {:.3f}".format(*cure), flush=True)
                    cures.setdefault(name, []).append(cure)
    print(f"\n{right} of {len(CASES) * args.seeds} named rightly\n")
    print("| made | right | named |\n|---|---|---|")
    for (name, expected), row in table.items():
        print(f"| {name} | {expected} | " + ", ".join(f"{c} {n}" for c, n in sorted(row.items())) + " |")
    print("\n| made | do not learn | learn with the first option proposed | options |\n|---|---|---|---|")
    for name, all_of in cures.items():
        ill = [c for c in all_of if c[0] > LEARNED]
        cured = [c for c in ill if c[2] <= LEARNED]
        options = ", ".join(sorted({f"`{c[1]}`" for c in ill}))
        print(f"| {name} | {len(ill)} of {len(all_of)} | {len(cured)} | {options} |")


if __name__ == "__main__":
    main()
