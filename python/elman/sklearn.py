"""Recurrent networks as scikit-learn estimators.

A row of ``X`` is a sequence: 2-D ``X`` ``(n_samples, n_features)`` is read as ``n_features`` steps of one channel, 3-D
``X`` ``(n_samples, T, F)`` as T steps of F channels.

>>> import numpy as np
>>> from elman.sklearn import ElmanClassifier
>>> rng = np.random.default_rng(0)
>>> X = rng.standard_normal((40, 12)).cumsum(axis=1)      # walks: do they end above where they began?
>>> y = np.where(X[:, -1] > 0, "up", "down")
>>> model = ElmanClassifier(hidden=8, epochs=20).fit(X, y)
>>> model.score(X, y) > 0.9
True

Both pass :func:`sklearn.utils.estimator_checks.check_estimator`, with the exceptions that
:func:`expected_failed_checks` lists with their reasons.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _elman
from ._model import Model
from ._train import Epoch, train

__all__ = ["ElmanClassifier", "ElmanRegressor", "expected_failed_checks"]

Array = npt.NDArray[Any]


def expected_failed_checks(estimator: object) -> dict[str, str]:
    """The checks of scikit-learn that do not apply, each with its reason, for ``check_estimator``'s argument of the
    same name."""
    return {}


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """What both have in common."""

    _task: ClassVar[Literal["classify", "regress"]]

    def __init__(
        self,
        cell: str = "elman",
        hidden: int = 32,
        layers: int = 1,
        bidirectional: bool = False,
        learning_rate: float = 0.01,
        weight_decay: float = 0.01,
        batch: int = 16,
        epochs: int = 60,
        validation: float = 0.0,
        patience: int = 0,
        read: str = "last",
        threads: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.cell = cell
        self.hidden = hidden
        self.layers = layers
        self.bidirectional = bidirectional
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch = batch
        self.epochs = epochs
        self.validation = validation
        self.patience = patience
        self.read = read
        self.threads = threads
        self.random_state = random_state
        self.options = options

    def _fit(self, X: Array, labels: Array) -> None:
        """Trains in a folder that is gone afterwards; what is kept is the model file's bytes."""
        given: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "cell", "hidden", "layers", "bidirectional", "learning_rate", "weight_decay", "batch", "epochs",
                "validation", "patience", "read",
            )
        }  # fmt: skip
        given |= dict(self.options or {})
        with tempfile.TemporaryDirectory() as folder:
            run = train(
                X,
                labels=labels,
                out=Path(folder) / "run",
                threads=self.threads,
                progress=False,
                task=self._task,
                test=0.0,
                seed=_seed(self.random_state),
                **given,
            )
            self.model_ = (run.path / "model.safetensors").read_bytes()
            self.epochs_: list[Epoch] = run.epochs
        self.n_iter_ = len(self.epochs_)
        self._loaded = _loaded(self.model_)

    def _answers(self, X: npt.ArrayLike) -> Array:
        """Of the network: probabilities ``(n_samples, classes)``, or numbers ``(n_samples, 1)``."""
        check_is_fitted(self)
        X = self._sequences(X, reset=False)
        answers, _ = self._loaded._answers(X)
        return np.concatenate(answers)

    def _sequences(self, X: npt.ArrayLike, reset: bool) -> Array:
        """``X``, checked: against what was learned from, unless that is what it is."""
        return self._axes(validate_data(self, X, reset=reset, allow_nd=True, dtype=np.float64))

    def _axes(self, X: Array) -> Array:
        if X.ndim > 3:
            raise ValueError(f"X has the shape {X.shape}; 2 axes (samples, steps) or 3 (samples, steps, channels) are read")
        return X

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_loaded"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "model_" in state:
            self._loaded = _loaded(self.model_)


class ElmanRegressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """A recurrent network that says one number for each sequence.

    Args:
        cell: ``elman``, ``elman-relu``, ``elman-linear``, ``leaky``, ``leaky-relu``, ``lstm`` or ``gru``.
        hidden: units of each layer.
        layers: layers.
        bidirectional: whether each layer also runs from the end to the start.
        learning_rate: of Adam, the highest of its schedule.
        weight_decay: of weight matrices.
        batch: sequences that are learned from at once.
        epochs: times to go through the data, at most.
        validation: share of the sequences that early stopping watches.
        patience: epochs without a better validation loss after which training ends; 0 for no early stopping.
        read: ``last`` (the answer is read at the last step) or ``mean`` (over all steps).
        threads: how many to use; the result does not depend on it.
        random_state: seed of everything random.
        options: further options of :func:`elman.train`.

    Attributes:
        model_: the trained network, as the bytes of a ``model.safetensors`` file.
        epochs_: what happened in each epoch.
        n_iter_: epochs made.
        n_features_in_: features of the data that it learned from.
    """

    _task = "regress"

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> ElmanRegressor:
        """Learns from sequences ``X`` and one number for each, ``y`` ``(n_samples,)``."""
        rows, numbers = validate_data(
            self, X, y, allow_nd=True, dtype=np.float64, y_numeric=True, multi_output=False, ensure_min_samples=2
        )
        self._fit(self._axes(rows), np.asarray(numbers, np.float64))
        return self

    def predict(self, X: npt.ArrayLike) -> Array:
        """One number for each sequence ``(n_samples,)``."""
        return self._answers(X)[:, 0]


class ElmanClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A recurrent network that says one class for each sequence. Arguments are those of :class:`ElmanRegressor`.

    Attributes:
        classes_: the classes, in order.
        model_, epochs_, n_iter_, n_features_in_: as in :class:`ElmanRegressor`.
    """

    _task = "classify"

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> ElmanClassifier:
        """Learns from sequences ``X`` and one class for each, ``y`` ``(n_samples,)``, of any type."""
        rows, labels = validate_data(self, X, y, allow_nd=True, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class, {self.classes_[0]!r}; there is nothing to tell apart")
        self._fit(self._axes(rows), codes)
        return self

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """The probability of each class ``(n_samples, classes)``, columns in the order of ``classes_``."""
        return self._answers(X)

    def predict(self, X: npt.ArrayLike) -> Array:
        """The likeliest class of each sequence ``(n_samples,)``."""
        answers = self.predict_proba(X)
        likeliest: Array = self.classes_[answers.argmax(axis=1)]
        return likeliest


def _loaded(model: bytes) -> Model:
    return Model(_elman.Trained.from_bytes(model), "an estimator")


def _seed(random_state: int | np.random.RandomState | None) -> int:
    """A seed, as scikit-learn means its ``random_state``."""
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    return int(random_state)
