"""The workloads: input features, units, rows, steps."""

#: Cells and their gates.
CELLS = {"elman": 1, "lstm": 4, "gru": 3}

SEQUENCES = {
    "T1": (1, 32, 16, 100),
    "T2": (8, 64, 32, 100),
    "T3": (64, 128, 32, 100),
    "T4": (128, 256, 64, 100),
    "T5": (256, 512, 64, 50),
    "T6": (512, 1024, 64, 50),
    "T7": (1, 64, 16, 1000),
    "T8": (1, 128, 1, 1000),
}
SHAPES = {
    "train": SEQUENCES,
    "infer": SEQUENCES,
    "stream": {f"S{h}": (h // 4, h, 1, 1) for h in (16, 32, 64, 128, 256, 512, 1024)},
}


def work_of(cell, mode, shape):
    """Floating-point operations of the products: 2 B T H (F + H) gates, three times that for train."""
    f, h, b, t = shape
    return 2 * b * t * h * (f + h) * CELLS[cell] * (3 if mode == "train" else 1)
