"""Recurrent neural networks on ordinary CPUs: train, explain, ship.

- :class:`RNN`, :class:`LSTM`, :class:`GRU`: the layers of ``torch.nn`` on NumPy arrays, forward and backward;
- :func:`train`: what the command ``elman train`` does; :func:`load`: a trained network, to predict, stream or generate;
- :func:`doctor`: the gradient microscope: why a network learns, or does not;
- :mod:`elman.sklearn`: estimators for scikit-learn.
"""

from ._doctor import Diagnosis, doctor
from ._elman import __version__, get_num_threads, set_num_threads
from ._layers import GRU, LSTM, RNN
from ._model import Model, load
from ._train import Epoch, Options, Run, train

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Diagnosis",
    "Epoch",
    "Model",
    "Options",
    "Run",
    "__version__",
    "doctor",
    "get_num_threads",
    "load",
    "set_num_threads",
    "train",
]
