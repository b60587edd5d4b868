"""``load``: a trained network of a run folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _elman
from ._data import numbers, sequences

Array = npt.NDArray[Any]


def load(run: str | os.PathLike[str]) -> Model:
    """The trained network of a run folder, or of a ``model.safetensors`` file of one.

    Raises:
        FileNotFoundError: there is no such run. ValueError: it is not one, or damaged, or of another version.
    """
    return Model(_elman.Trained(os.fspath(run)), os.fspath(run))


class Model:
    """A trained network with what is needed to use it: scaling, names, vocabulary. Made by :func:`load`."""

    def __init__(self, native: _elman.Trained, run: str) -> None:
        self._native = native
        self._run = run

    @property
    def config(self) -> dict[str, Any]:
        """The configuration it was trained with: every option."""
        return self._native.config()

    @property
    def task(self) -> str:
        """What it was trained for."""
        return str(self.config["task"])

    @property
    def columns(self) -> list[str]:
        """The columns that a forecaster reads, the target first; empty for other models."""
        return self._native.columns()

    def state_dict(self) -> dict[str, Array]:
        """Every parameter, as an array of its own: PyTorch's names for the layers, ``readout.weight`` ``(O, H)`` and
        ``readout.bias`` ``(O,)``."""
        return self._native.state_dict()

    @property
    def classes(self) -> list[str]:
        """Names of the classes that it tells apart, in the order of :meth:`probabilities`; empty for other models."""
        return self._native.classes()

    def predict(self, data: Any = None, steps: int = 10) -> Any:
        """What it says about data, in the data's units.

        Args:
            data: for a forecaster the series to go on from: an array ``(T,)`` or ``(T, columns)``, the target first.
                For ``classify``, ``regress`` and ``label`` sequences: an array ``(n, T)`` or ``(n, T, channels)``, or a
                list of arrays ``(T,)`` or ``(T, channels)``. For ``seq2seq`` a list of texts. Or the path of a file; or,
                where it is left out, what it was trained on.
            steps: how many values a forecaster says.

        Returns:
            A forecaster: the target's next values ``(steps,)``. ``classify``: the name of the likeliest class of each
            sequence ``(n,)``; ``regress``: a number for each ``(n,)``; ``label``: a list with one ``(T,)`` of these for
            each sequence. ``seq2seq``: a list of texts.
        """
        task = self.task
        if task in ("classify", "regress", "label"):
            answers, every = self._answers(data)
            if self.classes:
                names = np.asarray(self.classes)
                said = [names[answer.argmax(axis=1)] for answer in answers]
            else:
                said = [answer[:, 0] for answer in answers]
            return said if every else np.concatenate(said)
        if task == "seq2seq":
            return [text for text, _ in self.say(data)]
        if steps < 1:
            raise ValueError(f"steps is {steps}, and must be at least 1")
        return self._native.ahead(*self._series(data), steps)

    def probabilities(self, data: Any = None) -> Any:
        """The probability of each class, for ``classify`` ``(n, classes)``, for ``label`` a list of ``(T, classes)``.

        ``data`` is as in :meth:`predict`.
        """
        if not self.classes:
            raise ValueError(f"this model was trained for the task {self.task}, which has no classes")
        answers, every = self._answers(data)
        return answers if every else np.concatenate(answers)

    def say(self, texts: Sequence[str], beam: int | None = None) -> list[tuple[str, float]]:
        """For each text what a ``seq2seq`` model makes of it, and the probability that it gives that.

        ``beam`` is how many hypotheses are kept while searching; as it was trained to where it is left out.
        """
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise TypeError("texts must be a list of str")
        return self._native.say(list(texts), beam)

    def one_step(self, data: str | os.PathLike[str] | npt.ArrayLike | None = None) -> Array:
        """The target of every row as a forecaster says it from all rows before it ``(T,)``, in its units; NaN for the
        first row. ``data`` is as in :meth:`predict`.
        """
        return self._native.one_step(*self._series(data))

    def step(self, row: npt.ArrayLike, out: npt.NDArray[np.float64] | None = None) -> npt.NDArray[np.float64]:
        """Reads one row of the columns ``(columns,)`` in their units, from the state that the last call left, and
        returns the next row as forecast.

        ``out`` is where to write it, ``float64`` without gaps; a new array where it is left out, and nothing else is
        allocated. To the bit what :meth:`one_step` says. A call takes microseconds and keeps the GIL.
        """
        now = np.ascontiguousarray(row, np.float64)
        now = now.reshape(1) if now.ndim == 0 else now
        then = np.empty_like(now) if out is None else out
        for name, array in (("row", now), ("out", then)):
            if not isinstance(array, np.ndarray) or array.dtype != np.float64 or not array.flags.c_contiguous:
                raise ValueError(f"{name} must be an array of float64 without gaps")
            if array.ndim != 1:
                raise ValueError(f"{name} has the shape {array.shape}, and must have one axis")
        self._native.step(now, then)
        return then

    def reset(self) -> None:
        """The next :meth:`step` reads the first row again."""
        self._native.reset()

    def generate(
        self, prompt: str = "", length: int = 500, temperature: float = 0.7, top_k: int = 0, seed: int = 1
    ) -> str:
        """Text that goes on after ``prompt``, ``length`` characters of it.

        Args:
            prompt: what to go on after; not part of what is returned.
            length: characters to write.
            temperature: below 1 likelier, above 1 wilder; 0 always takes the likeliest.
            top_k: draws among so many of the likeliest; 0 for all.
            seed: of the draw.
        """
        return self._native.generate(prompt, length, temperature, top_k, seed)

    def evaluate(
        self, data: str | os.PathLike[str] | None = None, labels: str | os.PathLike[str] | None = None
    ) -> dict[str, Any]:
        """Scores beside baselines, as ``elman evaluate --json`` says them: on the parts of the data that it was trained
        on, or on another file (``labels``: the ``.npy`` file that holds the labels of a ``.npy`` file)."""
        files = [None if file is None else os.fspath(file) for file in (data, labels)]
        return self._native.evaluate(*files)

    def _answers(self, data: Any) -> tuple[list[Array], bool]:
        if data is None:
            data = self.config["data"]
        if isinstance(data, (str, os.PathLike)):
            return self._native.answers(None, os.fspath(data))
        return self._native.answers(sequences(data), None)

    def _series(
        self, data: str | os.PathLike[str] | npt.ArrayLike | None
    ) -> tuple[npt.NDArray[np.float64] | None, str | None]:
        if data is None:
            return None, None
        if isinstance(data, (str, os.PathLike)):
            return None, os.fspath(data)
        array = np.asarray(data)
        return numbers(array[:, None] if array.ndim == 1 else array, 2), None

    def __repr__(self) -> str:
        config = self.config
        return f"<elman.Model of {self._run!r}: {config['task']}, {config['cell']}, {config['hidden']} units>"
