"""Data in memory, kept as the files that a run reads, so that it can go on and be made again."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def next_folder(name: str) -> Path:
    """``runs/NAME``, or ``runs/NAME-2`` and so on where there is one already."""
    number = 1
    while (folder := Path("runs") / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return folder


def keep(data: Any, folder: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Writes ``data`` into ``folder`` and returns the options that name it."""
    if isinstance(data, str):
        path = write(folder / "data.txt", data)
        return {"data": path}
    names, columns = _columns(data)
    if not names:
        raise ValueError("data has no columns")
    target = {} if "target" in options else {"target": names[0]}
    features = {} if "features" in options or "target" in options or len(names) == 1 else {"features": names[1:]}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    # repr of a float is the shortest text that reads back to the same bits.
    writer.writerows([["" if np.isnan(x) else repr(float(x)) for x in row] for row in columns])
    return {"data": write(folder / "data.csv", text.getvalue())} | target | features


def keep_labelled(data: Any, labels: Any, folder: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Writes sequences and their labels into ``folder`` and returns the options that name them and the task."""
    rows = sequences(data)
    kinds = [np.asarray(label) for label in labels]
    if len(kinds) != len(rows):
        raise ValueError(f"there are {len(kinds)} labels for {len(rows)} sequences")
    axes = 1 if options.get("task") == "label" else 0
    lines = []
    for i, (row, label) in enumerate(zip(rows, kinds, strict=True)):
        if label.ndim != axes or (axes and len(label) != len(row)):
            needs = f"({len(row)},): one for each step" if axes else "(): one for the sequence"
            raise ValueError(f"label {i} has the shape {label.shape}, and must be {needs}")
        lines.append(json.dumps({"id": str(i), "x": _gaps(row.tolist()), "y": label.tolist()}))
    named = all(label.dtype.kind in "iubUO" for label in kinds)
    task = {} if "task" in options else {"task": "classify" if named else "regress"}
    return {"data": write(folder / "data.jsonl", "".join(line + "\n" for line in lines))} | task


def sequences(data: Any) -> list[npt.NDArray[np.float64]]:
    """Sequences ``(T, channels)`` from an array ``(n, T)`` or ``(n, T, channels)``, or from a list of arrays."""
    rows = []
    for i, sequence in enumerate(data):
        row = np.asarray(sequence)
        if row.ndim not in (1, 2) or 0 in row.shape:
            raise ValueError(f"sequence {i} has the shape {row.shape}, and must be (T,) or (T, channels)")
        rows.append(numbers(row[:, None] if row.ndim == 1 else row, 2))
    return rows


def _gaps(steps: list[list[float]]) -> list[list[float | None]]:
    """NaN is a gap, and JSON has none."""
    return [[None if x != x else x for x in step] for step in steps]


def write(path: Path, text: str) -> str:
    """Writes a file beside and renames it; returns its path as a run's configuration names it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    beside.write_text(text, encoding="utf-8", newline="")
    beside.replace(path)
    return os.fspath(path)


def _columns(data: Any) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Names, and numbers ``(T, columns)``."""
    if hasattr(data, "columns") and hasattr(data, "to_numpy"):
        return [str(name) for name in data.columns], numbers(data.to_numpy(), 2)
    if isinstance(data, Mapping):
        columns = [numbers(column, 1) for column in data.values()]
        lengths = {len(column) for column in columns}
        if len(lengths) > 1:
            raise ValueError(f"the columns of data have {' and '.join(map(str, sorted(lengths)))} rows, not the same number")
        return [str(name) for name in data], np.stack(columns, axis=1) if columns else np.empty((0, 0))
    array = np.asarray(data)
    array = numbers(array[:, None] if array.ndim == 1 else array, 2)
    return [f"column_{i + 1}" for i in range(array.shape[1])], array


def numbers(data: Any, axes: int) -> npt.NDArray[np.float64]:
    """An array of 64-bit floats with so many axes."""
    array = np.asarray(data)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"data is of {array.dtype}, and must be of numbers")
    if array.ndim != axes:
        raise ValueError(f"data has the shape {array.shape}, and must have {axes} axes: one row a step")
    return array.astype(np.float64)
