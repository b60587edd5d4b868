"""The figures of docs/modes.md: every output mode on real data, three seeds, median and spread.

    python bench/modes.py data            all of them; the dictionary takes longest
    python bench/modes.py data vowels     those whose name holds the word

`data` is what bench/data.py made. The program is taken from target/release unless ELMAN says where it is.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ELMAN = os.environ.get("ELMAN", "target/release/elman")
VOWELS = "vowels_train.ts --test-data {data}/vowels_test.ts --validation 0 --patience 0 --bidirectional --hidden 128"
DIGITS = "digits28.csv --task classify --label digit"
RUNS = {
    "vowels, leaky Elman": (f"{VOWELS} --cell leaky --epochs 25", "accuracy"),
    "vowels, Elman": (f"{VOWELS} --cell elman --epochs 40", "accuracy"),
    "vowels, GRU": (f"{VOWELS} --cell gru --layers 2 --epochs 50", "accuracy"),
    "digits by rows, Elman": (
        f"{DIGITS} --channels 28 --cell elman --hidden 128 --bidirectional --epochs 20",
        "accuracy",
    ),
    "exercises, a label for every step": (
        "watch.csv --task label --label exercise --id sequence --cell gru --bidirectional --hidden 48 --epochs 30",
        "macro_f1",
    ),
    "image to name": ("digits8.csv --task caption --label name --channels 64", "exact"),
    "letters to phonemes": (
        "cmudict.tsv --task seq2seq --target-symbols words --epochs 12 --patience 0",
        "word_error_rate",
    ),
}


def run(data: str, options: str, score: str, seed: int) -> tuple[float, float]:
    """The score on the test part, in percent, and the seconds it took."""
    file, *rest = options.format(data=data).split()
    with tempfile.TemporaryDirectory() as folder:
        command = [ELMAN, "train", f"{data}/{file}", *rest, "--seed", str(seed), "--out", f"{folder}/run", "-q", "--json"]
        begun = time.time()
        document = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        seconds = time.time() - begun
    parts = document["evaluation"]["parts"]
    return 100 * next(p[score] for p in parts if p["part"] == "test"), seconds


def main(data: str, word: str) -> None:
    print("| what | score on the test part | median | lowest | highest | seconds |\n|---|---|---|---|---|---|")
    for name, (options, score) in RUNS.items():
        if word not in name:
            continue
        found = [run(data, options, score, seed) for seed in (1, 2, 3)]
        scores = sorted(s for s, _ in found)
        seconds = statistics.median(t for _, t in found)
        print(
            f"| {name} | {score.replace('_', ' ')} | {statistics.median(scores):.2f} % | {scores[0]:.2f} % "
            f"| {scores[-1]:.2f} % | {seconds:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
