"""What watches a training run: progress, and the user's callback."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any


def wanted(progress: bool | None) -> bool:
    """Whether to show progress: as asked, or in notebooks and on terminals."""
    return _in_notebook() or sys.stderr.isatty() if progress is None else progress


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


class Watch:
    """Told by the trainer what happens; shows it, and asks the callback whether to stop."""

    def __init__(self, progress: bool | None, callback: Callable[[Any], bool | None] | None) -> None:
        self._show: _Bar | _Lines | None = None
        self._wanted = wanted(progress)
        self._callback = callback

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._show is not None:
            self._show.close()

    def begin(self, epochs: int, done: int) -> None:
        if self._wanted:
            self._show = _bar(epochs, done) or _Lines(epochs)

    def step(self, epoch: int, done: int, of: int, loss: float) -> None:
        if self._show is not None:
            self._show.step(epoch, done, of, loss)

    def epoch(self, epoch: Mapping[str, Any]) -> bool:
        if self._show is not None:
            self._show.epoch(epoch)
        return self._callback is not None and self._callback(epoch) is True

    def warning(self, text: str) -> None:
        warnings.warn(text, RuntimeWarning, stacklevel=3)


def _losses(epoch: Mapping[str, Any]) -> str:
    validation = epoch["validation_loss"]
    return f"loss {epoch['train_loss']:.4g}" + ("" if validation is None else f", validation {validation:.4g}")


class _Bar:
    """tqdm's bar, an epoch a unit."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def step(self, epoch: int, done: int, of: int, loss: float) -> None:
        self._bar.n = epoch - 1 + done / of
        self._bar.refresh()

    def epoch(self, epoch: Mapping[str, Any]) -> None:
        self._bar.n = epoch["epoch"]
        self._bar.set_postfix_str(_losses(epoch))

    def close(self) -> None:
        self._bar.close()


def _bar(epochs: int, done: int) -> _Bar | None:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    form = "{l_bar}{bar}| {n:.1f}/{total} [{elapsed}<{remaining}{postfix}]"
    return _Bar(tqdm(total=epochs, initial=done, unit="epoch", bar_format=form))


class _Lines:
    """A line of text, at most one a second, and one for the last epoch."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._said = 0.0
        self._last: str | None = None

    def step(self, epoch: int, done: int, of: int, loss: float) -> None:
        self._say(f"epoch {epoch} of {self._epochs}, {done} of {of} steps: loss {loss:.4g}")

    def epoch(self, epoch: Mapping[str, Any]) -> None:
        self._say(f"epoch {epoch['epoch']} of {self._epochs}: {_losses(epoch)}")

    def _say(self, line: str) -> None:
        self._last = line
        if time.monotonic() - self._said >= 1.0:
            self._said, self._last = time.monotonic(), None
            print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._last is not None:
            print(self._last, file=sys.stderr, flush=True)
