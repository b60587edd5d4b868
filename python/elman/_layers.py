"""``RNN``, ``LSTM`` and ``GRU``: the layers of ``torch.nn`` on NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from . import _elman

Array: TypeAlias = npt.NDArray[Any]
"""An array of ``float32`` or ``float64``."""

State = TypeVar("State")


class _Layers(Generic[State]):
    """What the three have in common. ``State`` is an array, or for ``LSTM`` a pair of them."""

    _names: ClassVar[tuple[str, ...]] = ("h",)

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        dtype: npt.DTypeLike,
        seed: int,
    ) -> None:
        self.input_size = _size("input_size", input_size)
        self.hidden_size = _size("hidden_size", hidden_size)
        self.num_layers = _size("num_layers", num_layers)
        self.bias = bool(bias)
        self.batch_first = bool(batch_first)
        self.dropout = float(dropout)
        self.bidirectional = bool(bidirectional)
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.training = True
        if self.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
            raise ValueError(f"dtype is {self.dtype}, and must be float32 or float64")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout is {self.dropout}, and must be from 0 to below 1")
        if not 0 <= seed < 2**64:
            raise ValueError(f"seed is {seed}, and must be from 0 to 2**64 - 1")
        self._native = _elman.Recurrent(
            cell,
            self.input_size,
            self.hidden_size,
            self.num_layers,
            self.bidirectional,
            self.bias,
            self.dtype == np.float64,
            seed,
        )
        self._unbatched = False
        self._out = np.empty(self.hidden_size, self.dtype)

    # Parameters

    def state_dict(self) -> dict[str, Array]:
        """Every parameter under PyTorch's name, as an array of its own: changing it changes nothing here.

        With G = 1 (RNN), 3 (GRU: r, z, n) or 4 (LSTM: i, f, g, o) gates and D directions, layer ``k`` has
        ``weight_ih_lk`` ``(G·H, F)`` (above the first layer ``(G·H, D·H)``), ``weight_hh_lk`` ``(G·H, H)``, and with
        ``bias`` also ``bias_ih_lk`` and ``bias_hh_lk`` ``(G·H,)``; the reverse direction appends ``_reverse``.
        """
        return self._native.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, prefix: str = "") -> None:
        """Takes over parameters: NumPy arrays, PyTorch's tensors, anything that NumPy reads.

        Only names that begin with ``prefix`` are read, without it: ``prefix="rnn."`` takes the layers out of the
        ``state_dict`` of a larger module. ``strict`` asks for every parameter and nothing else. All are taken over or,
        where one is refused, none. Numbers of another type are rounded to this one's.

        Raises:
            ValueError: a name is missing or unknown, a shape is wrong, a number is not finite.
        """
        given = {name[len(prefix) :]: value for name, value in state_dict.items() if name.startswith(prefix)}
        known = self.state_dict()
        missing, unknown = [n for n in known if n not in given], [n for n in given if n not in known]
        if strict and (missing or unknown):
            parts = [f"{what} {', '.join(names)}" for what, names in (("missing", missing), ("unknown", unknown)) if names]
            raise ValueError(f"the state_dict does not fit: {'; '.join(parts)}")
        arrays = []
        for name in (n for n in known if n in given):
            array = np.ascontiguousarray(_numbers(name, given[name], self.dtype))
            _check(name, array, known[name].shape)
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds a number that is not finite")
            arrays.append((name, array))
        self._native.load(arrays)

    # Modes, as torch.nn.Module has them

    def train(self, mode: bool = True) -> _Layers[State]:
        """Turns dropout between layers on (or off)."""
        self.training = bool(mode)
        return self

    def eval(self) -> _Layers[State]:
        """Turns dropout between layers off."""
        return self.train(False)

    # Running

    def __call__(
        self, x: npt.ArrayLike, h0: State | None = None, lengths: Sequence[int] | npt.NDArray[Any] | None = None
    ) -> tuple[Array, State]:
        """Runs whole sequences.

        Args:
            x: ``(T, B, F)``, or ``(B, T, F)`` with ``batch_first``, or ``(T, F)`` for one sequence. An array of this
                ``dtype`` whose last axis has no gaps is read where it lies, whatever its other strides.
            h0: the state before the first step, ``(D·layers, B, H)``, or ``(D·layers, H)`` for one sequence; for
                ``LSTM`` a pair ``(h0, c0)`` of these. Zeros where it is left out.
            lengths: steps that each of the B sequences has, from 1 to T, in any order; T where it is left out. What
                stands in ``x`` after a sequence's end is never read.

        Returns:
            ``y``, the hidden states of the last layer ``(T, B, D·H)`` (batch and time as in ``x``), 0 after a
            sequence's end; and the state after each sequence's last step, shaped as ``h0``.

        The GIL is released while it runs, and several threads share the work (``set_num_threads``); the numbers do
        not depend on how many. What ``backward`` needs is kept until the next call.

        Raises:
            ValueError: a shape or a length is wrong.
        """
        x3, unbatched = self._three("x", x, self.input_size)
        rows = x3.shape[1]
        state = self._given(("h0", "c0"), h0, rows, unbatched)
        each = _lengths(lengths, *x3.shape[:2])
        dropout = self.dropout if self.training else 0.0
        y, after = self._native.run(x3, each, state, self._rows_first(unbatched), dropout)
        self._unbatched = unbatched
        return self._one(y), self._taken(after)

    def backward(self, dy: npt.ArrayLike, dh: State | None = None) -> dict[str, Array]:
        """The gradients of a loss for everything that the last call read.

        Args:
            dy: ∂loss/∂y, shaped as ``y``; what stands after a sequence's end is never read.
            dh: the gradient of the state after the last step, shaped as that state; zeros where it is left out.

        Returns:
            A dict of ∂loss/∂parameter under each parameter's name; ``input``, shaped as ``x`` and 0 after a sequence's
            end; and ``h0``, for ``LSTM`` also ``c0``, shaped as the state. May be called again with another ``dy``.

        Raises:
            RuntimeError: nothing was run since the parameters changed.
            ValueError: a shape is wrong.
        """
        directions = 2 if self.bidirectional else 1
        d3, unbatched = self._three("dy", dy, directions * self.hidden_size)
        if unbatched != self._unbatched:
            raise ValueError(f"dy has {np.ndim(dy)} axes, and y has {2 if self._unbatched else 3}")
        grads, dx, before = self._native.pull(d3, self._given(("dh", "dc"), dh, d3.shape[1], unbatched))
        grads["input"] = self._one(dx)
        for name, array in zip(("h0", "c0"), before, strict=False):
            grads[name] = array[:, 0] if unbatched else array
        return grads

    # One step at a time

    def step(self, x: npt.ArrayLike, out: Array | None = None) -> Array:
        """One step of one sequence, from the state that the last step left.

        Args:
            x: ``(F,)``.
            out: where to write y, ``(H,)`` of this ``dtype`` without gaps; a new array where it is left out.

        Returns:
            y ``(H,)``: to the bit what a call on the whole sequence gives at this step. Nothing is allocated but this
            array.

        Raises:
            ValueError: a shape is wrong, or the layers are bidirectional: these need the future.
        """
        array = np.ascontiguousarray(_numbers("x", x, self.dtype))
        _check("x", array, (self.input_size,))
        y = np.empty_like(self._out) if out is None else out
        if not isinstance(y, np.ndarray) or y.dtype != self.dtype or not y.flags.c_contiguous or not y.flags.writeable:
            raise ValueError(f"out must be a writeable array of {self.dtype} without gaps")
        _check("out", y, (self.hidden_size,))
        self._native.step(array, y)
        return y

    def reset(self, h0: State | None = None) -> None:
        """The next ``step`` starts from ``h0``, ``(layers, H)`` (``LSTM``: a pair of these), or from zeros."""
        self._native.reset(self._given(("h0", "c0"), h0, 1, True))

    @property
    def state(self) -> State:
        """The state that the last ``step`` left, ``(layers, H)``; for ``LSTM`` a pair of these."""
        return self._pair([array[:, 0] for array in self._native.now()])

    # Shapes

    def _three(self, what: str, value: npt.ArrayLike, width: int) -> tuple[Array, bool]:
        """An array as ``(T, B, width)``, and whether it came without its batch axis."""
        array = _numbers(what, value, self.dtype)
        if array.ndim not in (2, 3):
            raise ValueError(f"{what} has {array.ndim} axes, and must have 2 (one sequence) or 3 (a batch)")
        if array.shape[-1] != width:
            raise ValueError(f"{what} has the shape {array.shape}, and its last axis must be {width}")
        if 0 in array.shape:
            raise ValueError(f"{what} has the shape {array.shape}, and there must be at least one step and one sequence")
        if array.ndim == 2:
            return array[:, None, :], True
        return (array.transpose(1, 0, 2) if self.batch_first else array), False

    def _rows_first(self, unbatched: bool) -> bool:
        return self.batch_first and not unbatched

    def _one(self, array: Array) -> Array:
        return array[:, 0] if self._unbatched else array

    def _given(
        self, names: tuple[str, str], state: State | None, rows: int, unbatched: bool
    ) -> tuple[Array | None, Array | None]:
        """The slots of a state as ``(D·layers, B, H)``, each checked."""
        if state is None:
            return None, None
        slots: Sequence[Any] = self._slots(names, state)
        sweeps = self.num_layers * (2 if self.bidirectional else 1)
        shape = (sweeps, self.hidden_size) if unbatched else (sweeps, rows, self.hidden_size)
        given: list[Array | None] = [None, None]
        for i, (name, slot) in enumerate(zip(names, slots, strict=False)):
            array = _numbers(name, slot, self.dtype)
            _check(name, array, shape)
            given[i] = array[:, None, :] if unbatched else array
        return given[0], given[1]

    def _taken(self, slots: Sequence[Array]) -> State:
        return self._pair([array[:, 0] if self._unbatched else array for array in slots])

    def _slots(self, names: tuple[str, str], state: Any) -> Sequence[Any]:
        return (state,)

    def _pair(self, slots: Sequence[Array]) -> State:
        state: Any = slots[0]
        return state  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        words = [str(self.input_size), str(self.hidden_size)]
        words += [f"num_layers={self.num_layers}"] if self.num_layers != 1 else []
        words += [f"{name}=True" for name in ("batch_first", "bidirectional") if getattr(self, name)]
        words += ["bias=False"] if not self.bias else []
        words += [f"dropout={self.dropout}"] if self.dropout else []
        words += ["dtype=float64"] if self.dtype == np.float64 else []
        return f"{type(self).__name__}({', '.join(words)})"


class RNN(_Layers[Array]):
    """Elman's network, h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or max(0, …): ``torch.nn.RNN`` in NumPy.

    Args:
        input_size: F, numbers read at each step.
        hidden_size: H, units of each layer and direction.
        num_layers: layers, each reading the hidden states of the one below.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        bias: whether there are b_ih and b_hh.
        batch_first: whether x and y are ``(B, T, …)`` instead of ``(T, B, …)``.
        dropout: share, below 1, of what each layer gives to the one above that is dropped while training (the others are
            scaled by 1/(1 − share)), anew at every step and call. ``eval()`` turns it off; ``step`` and ``doctor`` never
            drop.
        bidirectional: whether each layer also runs from the end to the start.
        dtype: ``float32`` or ``float64``.
        seed: of the parameters, uniform over ±1/√H, and of what is dropped.

    >>> import numpy as np, elman
    >>> rnn = elman.RNN(3, 8)
    >>> y, h = rnn(np.zeros((20, 4, 3), np.float32))
    >>> y.shape, h.shape
    ((20, 4, 8), (1, 4, 8))
    >>> sorted(rnn.backward(np.ones_like(y)))
    ['bias_hh_l0', 'bias_ih_l0', 'h0', 'input', 'weight_hh_l0', 'weight_ih_l0']
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: npt.DTypeLike = np.float32,
        seed: int = 0,
    ) -> None:
        cells = {"tanh": "elman", "relu": "elman-relu"}
        if nonlinearity not in cells:
            raise ValueError(f"nonlinearity is {nonlinearity!r}, and must be 'tanh' or 'relu'")
        self.nonlinearity = nonlinearity
        super().__init__(
            cells[nonlinearity],
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype, seed,
        )  # fmt: skip


class GRU(_Layers[Array]):
    """The gated recurrent unit, reset after the recurrent product: ``torch.nn.GRU`` in NumPy.

    r = σ(…), z = σ(…), n = tanh(W_in x_t + b_in + r ⊙ (W_hn h_{t-1} + b_hn)), h_t = (1 − z) ⊙ n + z ⊙ h_{t-1}.
    Arguments are those of :class:`RNN` without ``nonlinearity``.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: npt.DTypeLike = np.float32,
        seed: int = 0,
    ) -> None:
        super().__init__(
            "gru", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype, seed
        )


class LSTM(_Layers[tuple[Array, Array]]):
    """Long short-term memory: ``torch.nn.LSTM`` in NumPy. Its state is a pair ``(h, c)``.

    i, f, o = σ(…), g = tanh(…), c_t = f ⊙ c_{t-1} + i ⊙ g, h_t = o ⊙ tanh(c_t). Arguments are those of
    :class:`RNN` without ``nonlinearity``. The forget gate's ``bias_ih`` starts at 1.
    """

    _names = ("h", "c")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: npt.DTypeLike = np.float32,
        seed: int = 0,
    ) -> None:
        super().__init__(
            "lstm", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype, seed
        )

    def _slots(self, names: tuple[str, str], state: Any) -> Sequence[Any]:
        if not isinstance(state, (tuple, list)) or len(state) != 2:
            raise ValueError(f"the state of an LSTM is a pair ({names[0]}, {names[1]})")
        return state

    def _pair(self, slots: Sequence[Array]) -> tuple[Array, Array]:
        return slots[0], slots[1]


def _size(name: str, value: int) -> int:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, not {type(value).__name__}")
    if not 1 <= value < 2**31:
        raise ValueError(f"{name} is {value}, and must be at least 1")
    return int(value)


def _numbers(name: str, value: Any, dtype: np.dtype[Any]) -> Array:
    """An array of ``dtype``: the same one where it is of that type already."""
    array = np.asarray(value)
    if array.dtype == dtype:
        return array
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} is an array of {array.dtype}, and must be of numbers")
    return array.astype(dtype)


def _check(name: str, array: Array, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} has the shape {array.shape}, and {shape} is needed")


def _lengths(lengths: Sequence[int] | npt.NDArray[Any] | None, steps: int, rows: int) -> list[int] | None:
    if lengths is None:
        return None
    array = np.asarray(lengths)
    if array.dtype.kind not in "iu":
        raise TypeError(f"lengths are {array.dtype}, and must be whole numbers")
    _check("lengths", array, (rows,))
    for row, length in enumerate(array.tolist()):
        if not 1 <= length <= steps:
            raise ValueError(f"sequence {row} has length {length}; a length is from 1 to the {steps} steps of x")
    return [int(length) for length in array]
