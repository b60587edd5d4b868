"""``doctor``: the gradient microscope on a network and its data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ._layers import GRU, LSTM, RNN, _lengths
from ._model import Model


# More exponents than any network has.
_ALL = 2**32


@dataclass(frozen=True)
class Diagnosis:
    """Why a network learns, or does not."""

    cause: str
    """``not a number``, ``no gradient reaches the states``, ``exploding``, ``vanishing by weights``, ``vanishing by
    saturation``, ``limited by the truncation window``, ``transient growth``, ``the task asks for no longer memory`` or
    ``healthy``."""
    summary: str
    """One line."""
    evidence: list[str]
    """What it rests on, each line with its numbers."""
    proposals: list[dict[str, str]]
    """Suggested changes, best first: ``option`` as ``elman train`` takes it, and ``why``."""
    also: list[str]
    """Causes that hold as well."""
    figures: dict[str, Any] = field(repr=False)
    """Every measurement, lists of numbers as NumPy arrays: ``lag`` (the gradient by lag, natural logarithms),
    ``decay`` (its factor a step, and the horizons ``percent`` and ``half``: ``{"is": "at", "steps": 11.5}``, ``"beyond"``
    with the longest lag measured, or ``"undefined"``), ``not_finite`` (the first NaN or infinity: every figure is NaN
    then), ``bound``, ``bias`` and ``windows`` (what truncation costs), ``recurrent`` (W_hh, or ``map``: spectral radius, singular values, eigenvalues), ``products`` (singular values of products of
    Jacobians), ``lyapunov``, ``finite_time``, ``omega``, ``saturation``, ``noise``, ``mean_field``, ``fixed_points``;
    what does not apply is ``None``."""
    data: str = ""
    """Which steps of which rows were looked at, of a trained model."""
    explained: float | None = None
    """1 − loss/baseline on those, of a trained model."""

    def __str__(self) -> str:
        lines = [f"{self.cause}: {self.summary}", *(f"  {line}" for line in self.evidence)]
        if self.proposals:
            lines.append("Suggested changes, best first:")
        lines += [f"  {p['option']}: {p['why']}" for p in self.proposals]
        return "\n".join(lines)


def doctor(
    model: RNN | LSTM | GRU | Model,
    x: npt.ArrayLike | None = None,
    dy: npt.ArrayLike | None = None,
    *,
    h0: Any = None,
    lengths: Sequence[int] | npt.NDArray[Any] | None = None,
    sequences: int = 16,
    steps: int | None = None,
    max_lag: int | None = None,
    fixed_points: bool | Literal["mean", "zero"] = False,
    exponents: int | Literal["all"] | None = None,
    window: int | None = None,
    clip: float | None = None,
    seed: int = 0,
) -> Diagnosis:
    """Measures how gradients flow back through time, and says what that means.

    Args:
        model: layers of one direction; or a trained model, which is examined as ``elman doctor RUN`` does, on the data
            that it was trained on, with its own loss, window and clip limit: then ``x``, ``dy``, ``h0`` and ``lengths`` are left out.
        x: the inputs, shaped as the layers read them.
        dy: ∂loss/∂y, shaped as ``y``; a step without a loss has zeros. Where it is left out, the loss is the sum of y
            at each sequence's last step.
        h0, lengths: as in a call of the layers.
        sequences: how many of the sequences to measure, evenly chosen: memory grows with them.
        steps: how many steps of each row of a trained model to measure, at most, up to a step with a loss; twice the
            longest lag, or four times the window where that is more, where it is left out.
        max_lag: how many steps back to follow the gradient, at most; for layers as far as all loss times reach, and for a
            trained model 200, where it is left out.
        fixed_points: whether to search for fixed points too, which takes longest: ``True`` or ``"mean"`` with the input
            held at the mean of the data (or its most frequent symbol), ``"zero"`` with an input of zeros.
        exponents: how many Lyapunov exponents to measure, from the largest, or ``"all"``; 32 where it is left out.
        window, clip: the truncation window in steps and the clip limit of the training, where they are known.
        seed: of everything drawn at random.

    Raises:
        ValueError: a shape is wrong, or the layers are bidirectional.
    """
    asked = {
        "sequences": sequences,
        "max_lag": max_lag,
        "fixed_points": "mean" if fixed_points is True else fixed_points or None,
        "exponents": _ALL if exponents == "all" else exponents,
        "seed": seed,
        "window": window,
        "clip": clip,
        "steps": steps,
    }
    if isinstance(model, Model):
        if any(given is not None for given in (x, dy, h0, lengths)):
            raise ValueError("a trained model is examined on the data that it was trained on: leave x, dy, h0, lengths out")
        return diagnosis(model._native.doctor(json.dumps(asked)))
    if x is None:
        raise ValueError("layers are examined on inputs: give x")
    x3, unbatched = model._three("x", x, model.input_size)
    length, rows = x3.shape[:2]
    width = model.hidden_size * (2 if model.bidirectional else 1)
    each = _lengths(lengths, length, rows)
    if dy is None:
        d3 = np.zeros((length, rows, width), model.dtype)
        d3[[end - 1 for end in each or [length] * rows], range(rows)] = 1.0
    else:
        d3, _ = model._three("dy", dy, width)
    state = model._given(("h0", "c0"), h0, rows, unbatched)
    return diagnosis(model._native.doctor(x3, each, state, d3, json.dumps(asked)))


def diagnosis(found: dict[str, Any]) -> Diagnosis:
    """From what the native part measured."""
    verdict = found["verdict"]
    return Diagnosis(
        cause=found["words"],
        summary=verdict["summary"],
        evidence=verdict["evidence"],
        proposals=verdict["proposals"],
        also=[cause.replace("-", " ") for cause in verdict["also"]],
        figures=_arrays(found["flow"]),
        data=found.get("data", ""),
        explained=found.get("explained"),
    )


def _arrays(value: Any) -> Any:
    """Lists of numbers, however deep, as arrays."""
    if isinstance(value, dict):
        return {name: _arrays(item) for name, item in value.items()}
    if isinstance(value, list):
        if value and _numeric(value):
            return np.asarray(value)
        return [_arrays(item) for item in value]
    return value


def _numeric(value: list[Any]) -> bool:
    if all(isinstance(item, list) for item in value):
        return len({len(item) for item in value}) == 1 and all(_numeric(item) for item in value)
    return bool(value) and all(isinstance(item, (int, float)) for item in value)
