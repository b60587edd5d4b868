"""How the defaults of the sunspot run were chosen: forecasts of 30 years from those before them.

    cargo build --release && python bench/sunspots_cv.py [SEED] [CONFIGURATIONS]

Draws random configurations, trains each on the years up to 1770, 1800, 1830, 1860 and 1890 (three seeds), and prints
the mean squared error one step ahead over the following 30 years, divided by the variance of the whole series, beside
that of the linear autoregression. No year from 1921 on is ever read. `sort` shows the best first.
"""

import csv
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ELMAN = ROOT / "target" / "release" / "elman"
VARIANCE = 1631.117
AHEAD = 30
SPACE = {
    "change": ["false", "false", "true"],
    "hidden": [12, 16, 24, 32],
    "weight-decay": [0.03, 0.1, 0.3, 0.5],
    "learning-rate": [0.003, 0.006, 0.01],
    "epochs": [20, 40, 60, 80],
    "sequence": [16, 20, 24, 36],
    "batch": [8, 16, 32],
    "gain": [0.5, 0.7, 0.9],
    "burn-in": [4, 6, 8, 10],
    "learned-state": ["false", "true"],
}


def folds(folder):
    """A file for each last year, and the share of it that is forecast."""
    with open(ROOT / "crates/train/data/sunspots.csv") as file:
        rows = list(csv.reader(file))[1:]
    for end in (1800, 1830, 1860, 1890, 1920):
        kept = [row for row in rows if int(row[0]) <= end]
        path = folder / f"{end}.csv"
        path.write_text("year,spots\n" + "".join(f"{y},{v}\n" for y, v in kept))
        yield path, AHEAD / len(kept)


def errors(folder, path, share, options, seed):
    """Mean squared errors of the network and of the autoregression, over the variance."""
    with tempfile.TemporaryDirectory(dir=folder) as run:
        fixed = ["--target", "spots", "--validation", "0", "--patience", "0", "--test", str(share)]
        flags = [f"--{name}={value}" for name, value in options.items()]
        command = [ELMAN, "train", path, "--quiet", "--json", "--threads=1", f"--seed={seed}", "--out", run]
        found = subprocess.run(command + fixed + flags, capture_output=True, text=True, check=True)
    parts = json.loads(found.stdout)["evaluation"]["parts"]
    scores = next(part["scores"] for part in parts if part["part"] == "test")
    return [scores[i]["rmse"] ** 2 / VARIANCE for i in (0, -1)]


def main():
    random.seed(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 260
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        cut = list(folds(folder))
        for _ in range(count):
            options = {name: random.choice(values) for name, values in SPACE.items()}
            found = [errors(folder, *fold, options, seed) for fold in cut for seed in (11, 12, 13)]
            network, linear = (statistics.mean(column) for column in zip(*found))
            print(f"{network:.4f} (autoregression {linear:.4f}) {json.dumps(options)}", flush=True)


if __name__ == "__main__":
    main()
