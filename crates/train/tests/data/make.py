"""Makes the .npy files beside it, with NumPy 2, as numpy.save writes them."""

from pathlib import Path

import numpy as np

here = Path(__file__).parent
np.save(here / "x_f4.npy", np.arange(12, dtype="<f4").reshape(2, 3, 2) / 4)
np.save(here / "y_i8.npy", np.array([7, 3], dtype="<i8"))
np.save(here / "x_fortran.npy", np.asfortranarray(np.ones((2, 3))))
np.save(here / "x_objects.npy", np.array([[1], "a"], dtype=object), allow_pickle=True)
