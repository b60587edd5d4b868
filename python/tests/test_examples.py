"""The examples, run as a user runs them."""

import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name, *arguments):
    program = [sys.executable, "-W", "error::DeprecationWarning:elman", str(EXAMPLES / name), *arguments]
    ran = subprocess.run(program, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_from_pytorch():
    said = run("from_pytorch.py")
    before, after = (int(percent) for percent in re.findall(r"(\d+) % right", said))
    assert before < 70 and after > 95, said
    assert "vanishing by weights: " in said, said
    assert float(re.search(r"largest difference (\S+)", said)[1]) < 1e-5


def test_sweep(tmp_path):
    storage = f"sqlite:///{tmp_path / 'sweep.db'}"
    said = run("sweep.py", "--trials", "6", "--epochs", "4", "--storage", storage)
    assert "6 trials" in said
    again = run("sweep.py", "--trials", "2", "--epochs", "4", "--storage", storage)
    assert "8 trials" in again, "a second machine goes on with the same sweep"

    def best(text):
        return float(re.search(r"best validation loss (\S+)", text)[1])

    assert best(again) <= best(said)
