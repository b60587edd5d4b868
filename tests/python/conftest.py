"""What the tests share: the command `elman`, as built by `cargo xtask python`."""

import os
import subprocess
from pathlib import Path

import numpy as np
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


@pytest.fixture
def run(elman, tmp_path):
    """Runs a model on arrays by name; the outputs by name."""

    def run(model, inputs):
        path = tmp_path / "model.onnx"
        path.write_bytes(model.SerializeToString())
        arguments = []
        for at, (name, array) in enumerate(inputs.items()):
            np.save(tmp_path / f"in{at}.npy", array)
            arguments += ["--input", f"{name}={tmp_path}/in{at}.npy"]
        elman("onnx", "run", path, *arguments, "--output-dir", tmp_path / "out")
        return [np.load(tmp_path / "out" / f"{o.name}.npy") for o in model.graph.output]

    return run
