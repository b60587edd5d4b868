"""The estimators, by scikit-learn's own checks and in its own tools."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from elman.sklearn import ElmanClassifier, ElmanRegressor, expected_failed_checks


@parametrize_with_checks(
    [ElmanClassifier(threads=1), ElmanRegressor(threads=1)], expected_failed_checks=expected_failed_checks
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def walks(n=60, steps=15, seed=0):
    x = np.random.default_rng(seed).standard_normal((n, steps)).cumsum(axis=1)
    return x, np.where(x[:, -1] > 0, "up", "down"), x.mean(axis=1)


def test_classes_of_any_type_and_their_probabilities():
    x, y, _ = walks()
    model = ElmanClassifier(hidden=8, epochs=30, threads=1).fit(x, y)
    assert model.score(x, y) > 0.9
    assert list(model.classes_) == ["down", "up"]
    p = model.predict_proba(x)
    assert p.shape == (60, 2) and np.allclose(p.sum(axis=1), 1)
    assert (model.classes_[p.argmax(axis=1)] == model.predict(x)).all()


def test_more_than_ten_classes_keep_their_columns():
    x = np.repeat(np.eye(12), 6, axis=0)
    y = np.repeat(np.arange(12), 6)
    model = ElmanClassifier(hidden=24, epochs=60, threads=1).fit(x[:, None, :], y)
    assert model.predict_proba(x[:, None, :]).shape == (72, 12)
    assert model.score(x[:, None, :], y) == 1.0


def test_numbers_of_sequences_with_channels():
    x, _, mean = walks(120)
    channels = np.stack([x, np.ones_like(x)], axis=2)
    model = ElmanRegressor(hidden=16, epochs=60, threads=1).fit(channels, mean)
    assert model.score(channels, mean) > 0.9
    with pytest.raises(ValueError, match="channels"):
        model.predict(channels[:, :, :1])


def test_scikit_learns_tools():
    x, y, _ = walks()
    model = make_pipeline(StandardScaler(), ElmanClassifier(hidden=8, epochs=10, threads=1))
    assert cross_val_score(model, x, y, cv=3).shape == (3,)
    search = GridSearchCV(ElmanClassifier(epochs=10, threads=1), {"hidden": [4, 8]}, cv=2).fit(x, y)
    assert search.best_params_["hidden"] in (4, 8)


def test_the_same_again_and_after_pickling():
    x, y, _ = walks()
    model = ElmanClassifier(hidden=4, epochs=5, threads=1).fit(x, y)
    p = model.predict_proba(x)
    assert (clone(model).fit(x, y).predict_proba(x) == p).all()
    assert (pickle.loads(pickle.dumps(model)).predict_proba(x) == p).all()
    other = clone(model).set_params(random_state=1).fit(x, y)
    assert (other.predict_proba(x) != p).any()
