"""Every test in a folder of its own, with data that train in a second."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def wave():
    """A noisy sine ``(200,)``."""
    t = np.arange(200)
    return np.sin(0.3 * t) + 0.05 * np.random.default_rng(0).standard_normal(200)


QUICK = {"hidden": 4, "epochs": 3, "sequence": 16, "burn_in": 2, "progress": False, "threads": 1}


@pytest.fixture
def quick():
    """Options that make training short."""
    return dict(QUICK)
