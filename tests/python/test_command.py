"""The files of elman, read by those who made their formats."""

from safetensors.numpy import load_file


def test_the_weights_of_a_run_are_safetensors_of_pytorchs_names(elman, tmp_path):
    run = tmp_path / "run"
    elman("train", "--epochs", 1, "--hidden", 5, "--quiet", "--out", run)
    weights = load_file(run / "model.safetensors")
    shapes = {name: weight.shape for name, weight in weights.items()}
    assert shapes["weight_ih_l0"] == (5, 1)
    assert shapes["weight_hh_l0"] == (5, 5)
    assert shapes["bias_ih_l0"] == shapes["bias_hh_l0"] == (5,)
    assert shapes["readout.weight"] == (1, 5)
