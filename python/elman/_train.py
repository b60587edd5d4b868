"""``train``: what the command ``elman train`` does, from Python."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

from . import _data, _elman
from ._model import Model, load
from ._progress import Watch

if TYPE_CHECKING:
    from typing_extensions import Unpack

PathLike: TypeAlias = str | os.PathLike[str]
Cell: TypeAlias = Literal["elman", "elman-relu", "elman-linear", "leaky", "leaky-relu", "lstm", "gru"]


class Options(TypedDict, total=False):
    """The options of ``elman train``, with underscores. What is left out takes the task's default."""

    task: Literal["forecast", "text", "classify", "regress", "label", "caption", "seq2seq"]
    missing: Literal["refuse", "interpolate", "drop"]
    scale: Literal["standard", "min-max", "none"]
    change: bool
    validation: float
    test: float
    source_symbols: Literal["characters", "words"]
    target_symbols: Literal["characters", "words"]
    split_seed: int
    sequence: int
    hop: int
    batch: int
    cell: Cell
    hidden: int
    layers: int
    bidirectional: bool
    read: Literal["last", "mean"]
    attention: bool
    learned_state: bool
    layer_norm: bool
    dropout: float
    input_dropout: float
    state_dropout: float
    zoneout: float
    init: Literal["orthogonal", "identity", "uniform", "xavier"]
    gain: float
    window: int | Literal["auto"]
    stride: int
    burn_in: int
    clip: float
    clip_value: float
    own_words: float
    beam: int
    length_penalty: float
    max_output: int
    loss: Literal["mse", "huber", "cross-entropy", "binary-cross-entropy"]
    optimiser: Literal["sgd", "rms-prop", "adam", "adam-w"]
    learning_rate: float
    momentum: float
    weight_decay: float
    schedule: Literal["constant", "cosine", "plateau"]
    warm_up: float
    epochs: int
    patience: int
    seed: int
    shared_leak: bool
    fixed_leak: bool
    target: str
    test_data: PathLike
    label: str
    id: str
    order: str
    channels: int
    test_labels: PathLike
    features: Sequence[str]
    memory: Sequence[float]
    forget_bias: float
    minutes: float
    flow: Literal["auto", "on", "off"]
    window_bias: float
    checkpoint: bool


class Measured(TypedDict, total=False):
    """What is measured in some epochs only."""

    window: int
    """Steps that each loss reached back at least, where ``window="auto"`` picked them."""
    flow: dict[str, Any]
    """The gradient by lag after it: ``ln_mean``, ``beta``, ``half``, ``horizon``."""


class Epoch(Measured):
    """One epoch, a line of ``metrics.jsonl``."""

    epoch: int
    """From 1."""
    train_loss: float
    """Mean loss per counted number, while the weights changed."""
    validation_loss: float | None
    """Mean loss on the validation part after it; ``None`` where there is no such part."""
    gradient_norm: float
    """Median norm of the gradient before clipping."""
    gradient_norm_max: float
    """Largest norm of the gradient before clipping."""
    clipped: float
    """Share of the steps that were clipped."""
    learning_rate: float
    """Learning rate of its last step."""
    steps_per_second: float
    """Optimiser's steps per second."""
    best: bool
    """Whether its weights are the best so far."""


@dataclass(frozen=True)
class Run:
    """A finished run; its folder holds all of it."""

    path: Path
    """The run folder: model.safetensors, config.toml, metrics.jsonl, checkpoint.safetensors, report.html."""
    outcome: str
    """``finished``, ``stopped-early``, ``out-of-time`` or ``interrupted`` (a callback returned ``True``)."""
    config: dict[str, Any] = field(repr=False)
    """The effective configuration: every option."""
    parameters: int
    """How many numbers were learned."""
    epochs: list[Epoch] = field(repr=False)
    """One for each epoch made."""
    best_epoch: int
    """The epoch whose weights are kept, from 1."""
    seconds: float
    """Time of this sitting."""
    evaluation: dict[str, Any] = field(repr=False)
    """Scores of the best weights beside baselines, as ``elman evaluate --json`` says them."""

    @property
    def best_loss(self) -> float | None:
        """The validation loss of the weights that are kept; ``None`` where nothing is validated."""
        return self.epochs[self.best_epoch - 1]["validation_loss"] if self.best_epoch else None

    @property
    def model(self) -> Model:
        """The trained network, loaded from the folder."""
        return load(self.path)

    @property
    def report(self) -> Path:
        """The page that shows it, for any browser."""
        return self.path / "report.html"


def train(
    data: Any = None,
    labels: Any = None,
    *,
    out: PathLike | None = None,
    resume: PathLike | None = None,
    threads: int | None = None,
    progress: bool | None = None,
    callback: Callable[[Epoch], bool | None] | None = None,
    **options: Unpack[Options],
) -> Run:
    """Trains a network on data and writes a run folder, as the command ``elman train`` does.

    Args:
        data: a path to a table (.csv, .tsv: forecast), to a text or a folder of texts (.txt: text), or to what else
            ``elman train`` reads; an array ``(T,)`` or ``(T, columns)`` of a series, one row a step, in any units
            (columns are then called ``column_1``, …; the first is the target); a ``dict`` of columns or a pandas
            ``DataFrame``; a ``str`` with a line break in it is read as the text itself. With ``labels``: sequences, as
            an array ``(n, T)`` or ``(n, T, channels)`` or, where lengths differ, a list of arrays ``(T,)`` or
            ``(T, channels)``. The yearly sunspot numbers where it is left out. Arrays are kept in the run folder, so
            that the run can go on and be made again.
        labels: one for each sequence, numbers or names: with whole numbers, truth values and names the task is
            ``classify``, else ``regress``; with ``task="label"`` a list of one label for each step, classes, or numbers
            where the loss is ``mse`` or ``huber``. Or the path of the ``.npy`` file that holds the labels of ``data``.
        out: the run folder to make; ``runs/NAME`` where it is left out.
        resume: a run that was stopped, to go on with; only ``epochs``, ``minutes`` and ``patience`` may change.
        threads: how many to use, one for each core where it is left out; the result does not depend on it.
        progress: whether to show how far it is: ``tqdm`` where it is installed (a bar in notebooks), else lines of
            text. Where it is left out: in notebooks and on terminals.
        callback: called after each epoch with what happened in it; training stops where it returns ``True``. What it
            raises is raised by ``train``, and the run is saved first.
        **options: every option of ``elman train --help``, with underscores: see :class:`Options`.

    Returns:
        The run. Ctrl-C (in a notebook: interrupt) raises ``KeyboardInterrupt`` after the run is saved;
        ``train(resume=…)`` goes on with it to the same bits.

    Raises:
        ValueError: an option or the data cannot be used. FileNotFoundError, OSError: a file. FloatingPointError: the
            loss was no longer a number; the weights before that are saved.
    """
    if resume is not None and (data is not None or out is not None):
        raise ValueError("a run goes on with its own data, in its own folder: give resume without data and out")
    given: dict[str, Any] = {name: _plain(value) for name, value in options.items() if value is not None}
    folder = None if out is None else Path(out)
    made = None
    if isinstance(labels, (str, os.PathLike)):
        given["labels"], labels = os.fspath(labels), None
    if labels is not None and (data is None or isinstance(data, (str, os.PathLike))):
        raise ValueError("labels go with sequences in memory: give both as arrays, or both as paths")
    if data is not None:
        if isinstance(data, (str, os.PathLike)) and "\n" not in os.fspath(data):
            given["data"] = os.fspath(data)
        else:
            folder = folder or _data.next_folder("array")
            if any((folder / file).exists() for file in ("model.safetensors", "checkpoint.safetensors")):
                raise ValueError(f"{folder}: there is a run already; go on with resume, or give another folder with out")
            made = None if folder.exists() else folder
            given |= _data.keep(data, folder, given) if labels is None else _data.keep_labelled(data, labels, folder, given)
    with Watch(progress, callback) as watch:
        try:
            done = _elman.train(
                json.dumps(given),
                None if folder is None else os.fspath(folder),
                None if resume is None else os.fspath(resume),
                threads,
                watch,
            )
        except (ValueError, OSError):
            # Nothing was begun: leave no folder behind that holds data only.
            if made is not None and not (made / "config.toml").exists():
                shutil.rmtree(made, ignore_errors=True)
            raise
    done["path"] = Path(done["path"])
    return Run(**done)


def _plain(value: Any) -> Any:
    """What JSON knows: NumPy's numbers as Python's, paths as text, sequences as lists."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (tuple, list, np.ndarray)):
        return [_plain(item) for item in value]
    return value
