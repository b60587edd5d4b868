"""Outputs and gradients against PyTorch, for random configurations."""

import numpy as np
import pytest
import torch

import elman

BOUND = {"float32": 1e-5, "float64": 1e-10}


def configuration(seed):
    """A random network and batch, the same for the same seed."""
    rng = np.random.default_rng(seed)
    kind = ["RNN", "LSTM", "GRU"][seed % 3]
    options = {
        "num_layers": int(rng.integers(1, 4)),
        "bias": bool(rng.integers(4)),
        "batch_first": bool(rng.integers(2)),
        "bidirectional": bool(rng.integers(2)),
    }
    if kind == "RNN":
        options["nonlinearity"] = ["tanh", "relu"][rng.integers(2)]
    sizes = {"F": rng.integers(1, 6), "H": rng.integers(1, 20), "T": rng.integers(1, 12), "B": rng.integers(1, 7)}
    return rng, kind, options, {name: int(size) for name, size in sizes.items()}


def pair(kind, options, sizes, dtype, seed):
    """The same layers in both libraries."""
    torch.manual_seed(seed)
    theirs = getattr(torch.nn, kind)(sizes["F"], sizes["H"], dtype=getattr(torch, dtype), **options)
    ours = getattr(elman, kind)(sizes["F"], sizes["H"], dtype=dtype, **options)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def leaf(array):
    return torch.tensor(array, requires_grad=True)


def agree(ours, theirs, dtype, what):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape, what
    assert ours.dtype == theirs.dtype, what
    scale = max(1.0, float(np.abs(theirs).max(initial=0.0)))
    assert np.abs(ours - theirs).max(initial=0.0) / scale <= BOUND[dtype], what


def run_theirs(theirs, x, state, lengths, batch_first):
    if lengths is None:
        return theirs(x, state)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=batch_first, enforce_sorted=False)
    y, after = theirs(packed, state)
    steps = x.shape[1 if batch_first else 0]
    y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=batch_first, total_length=steps)
    return y, after


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(60))
def test_random_configurations(seed, dtype):
    rng, kind, options, sizes = configuration(seed)
    ours, theirs = pair(kind, options, sizes, dtype, seed)
    batch_first, unbatched = options["batch_first"], seed % 5 == 0
    steps, rows, width = sizes["T"], sizes["B"], sizes["F"]
    sweeps = options["num_layers"] * (2 if options["bidirectional"] else 1)

    def normal(*shape):
        return rng.standard_normal(shape).astype(dtype)

    if unbatched:
        x, slot = normal(steps, width), (sweeps, sizes["H"])
    else:
        x, slot = normal(*((rows, steps) if batch_first else (steps, rows)), width), (sweeps, rows, sizes["H"])
    slots = 2 if kind == "LSTM" else 1
    lengths = None if unbatched or rng.integers(2) else rng.integers(1, steps + 1, rows)
    given = [normal(*slot) for _ in range(slots)] if rng.integers(2) else None

    their_x, their_given = leaf(x), None if given is None else [leaf(s) for s in given]
    their_state = None if given is None else their_given[0] if slots == 1 else tuple(their_given)
    our_state = None if given is None else given[0] if slots == 1 else tuple(given)
    their_y, their_after = run_theirs(theirs, their_x, their_state, lengths, batch_first)
    y, after = ours(x, our_state, lengths)
    agree(y, their_y, dtype, "y")
    after, their_after = ((after,), (their_after,)) if slots == 1 else (after, their_after)
    for name, a, b in zip("hc"[:slots], after, their_after, strict=True):
        agree(a, b, dtype, name)

    dy, dh = normal(*y.shape), [normal(*s.shape) for s in after]
    loss = (their_y * torch.tensor(dy)).sum()
    loss = loss + sum((s * torch.tensor(d)).sum() for s, d in zip(their_after, dh, strict=True))
    loss.backward()
    grads = ours.backward(dy, dh[0] if slots == 1 else tuple(dh))
    theirs_by_name = dict(theirs.named_parameters())
    names = {"input", "h0"} | ({"c0"} if slots == 2 else set())
    assert set(grads) == set(theirs_by_name) | names
    for name, parameter in theirs_by_name.items():
        agree(grads[name], parameter.grad, dtype, name)
    agree(grads["input"], their_x.grad, dtype, "input")
    if given is not None:
        for name, leaf_ in zip(("h0", "c0"), their_given, strict=False):
            agree(grads[name], leaf_.grad, dtype, name)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_without_gradient_of_the_state(kind):
    ours, theirs = pair(kind, {}, {"F": 3, "H": 5}, "float64", 1)
    x = np.random.default_rng(0).standard_normal((7, 2, 3))
    their_x = leaf(x)
    theirs(their_x)[0].sum().backward()
    y, _ = ours(x)
    once = ours.backward(np.ones_like(y))
    agree(once["input"], their_x.grad, "float64", "input")
    again = ours.backward(np.ones_like(y))
    assert all((once[name] == again[name]).all() for name in once), "gradients are not added up"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_state_dict_through_safetensors_changes_no_bit(kind, dtype, tmp_path):
    from safetensors.numpy import load_file, save_file
    from safetensors.torch import load_file as load_torch
    from safetensors.torch import save_file as save_torch

    ours, theirs = pair(kind, {"num_layers": 2, "bidirectional": True}, {"F": 3, "H": 5}, dtype, 7)
    save_torch(theirs.state_dict(), tmp_path / "theirs.safetensors")
    ours.load_state_dict(load_file(tmp_path / "theirs.safetensors"))
    save_file(ours.state_dict(), tmp_path / "ours.safetensors")
    back = load_torch(tmp_path / "ours.safetensors")
    for name, tensor in theirs.state_dict().items():
        assert back[name].dtype == tensor.dtype
        assert back[name].numpy().tobytes() == tensor.numpy().tobytes(), name
    theirs.load_state_dict(back)


def test_prefix_takes_layers_out_of_a_module():
    class Module(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.head = torch.nn.RNN(2, 3), torch.nn.Linear(3, 1)

    module, ours = Module(), elman.RNN(2, 3)
    ours.load_state_dict(module.state_dict(), prefix="rnn.")
    assert (ours.state_dict()["weight_hh_l0"] == module.rnn.weight_hh_l0.detach().numpy()).all()
