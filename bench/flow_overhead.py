"""What `--flow` costs: `elman train` with it in every epoch and without it, in turns, on three sizes.

    python bench/flow_overhead.py [path of elman]
"""

import json
import math
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 7
SIZES = [(16, 24), (64, 12), (128, 4)]  # units, epochs


def main(elman: str) -> None:
    random.seed(1)
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        values = (
            math.sin(i / 24 * 2 * math.pi) + math.sin(i / 168 * 2 * math.pi) + random.gauss(0, 0.1)
            for i in range(6000)
        )
        (folder / "load.csv").write_text("load\n" + "".join(f"{v:.5f}\n" for v in values))
        print(f"{'units':>6} {'epochs':>7} {'without':>9} {'in each':>9} {'auto':>9} {'each/without':>13} {'auto/without':>13}")
        for units, epochs in SIZES:
            seconds = {"off": [], "on": [], "auto": []}
            for turn in range(ROUNDS):
                for flow, taken in seconds.items():
                    run = folder / f"{flow}-{units}-{turn}"
                    options = f"--hidden {units} --epochs {epochs} --patience 0 --sequence 168 --hop 4 --threads 1"
                    begun = time.perf_counter()
                    subprocess.run(
                        [elman, "train", "load.csv", "--target", "load", "--out", run.name, "--quiet", "--json"]
                        + options.split()
                        + ["--flow", flow],
                        cwd=folder,
                        check=True,
                        stdout=subprocess.DEVNULL,
                    )
                    taken.append(time.perf_counter() - begun)
                    lines = (run / "metrics.jsonl").read_text().splitlines()
                    looked = sum("flow" in json.loads(line) for line in lines)
                    assert looked == {"off": 0, "on": epochs}.get(flow, looked), (flow, looked)
            off, on, auto = (statistics.median(seconds[f]) for f in ("off", "on", "auto"))
            print(f"{units:>6} {epochs:>7} {off:>7.3f} s {on:>7.3f} s {auto:>7.3f} s {on / off:>13.3f} {auto / off:>13.3f}")


if __name__ == "__main__":
    main(str(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "target/release/elman").resolve()))
