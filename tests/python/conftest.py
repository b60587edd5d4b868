"""What the tests share: the command `elman`, as built by `cargo xtask python`."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def elman():
    """Runs the command and returns what it printed; an assertion fails where it does not end well."""
    command = os.environ.get("ELMAN", str(ROOT / "target/debug/elman"))

    def run(*arguments, fails=False):
        arguments = [command, *map(str, arguments)]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
        assert (done.returncode != 0) == fails, f"{arguments}\n{done.stdout}{done.stderr}"
        return done.stderr if fails else done.stdout

    return run
