"""What elman writes for others, read by TensorBoard, ONNX's checker and ONNX Runtime, safetensors and NumPy."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from safetensors.numpy import load_file, save_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def test_tensorboard_reads_every_epoch(elman, tmp_path):
    run, series = tmp_path / "run", tmp_path / "s.csv"
    series.write_text("v\n" + "\n".join(str(np.sin(t / 3)) for t in range(400)) + "\n")
    options = ["--target", "v", "--epochs", 3, "--hidden", 4, "--quiet", "--tensorboard"]
    elman("train", series, *options, "--out", run)
    events = EventAccumulator(str(run)).Reload()
    assert set(events.Tags()["scalars"]) == {"loss/train", "loss/validation", "learning_rate", "gradient_norm"}
    assert [e.step for e in events.Scalars("loss/train")] == [1, 2, 3]
    lines = (run / "metrics.jsonl").read_text().splitlines()
    epochs = [json.loads(line) for line in lines]
    for tag, key in [("loss/train", "train_loss"), ("loss/validation", "validation_loss")]:
        np.testing.assert_allclose([e.value for e in events.Scalars(tag)], [e[key] for e in epochs], rtol=1e-6)
    # Going on adds a file, and TensorBoard joins the two.
    elman("train", "--resume", run, "--epochs", 5, "--quiet", "--tensorboard")
    events = EventAccumulator(str(run)).Reload()
    assert [e.step for e in events.Scalars("loss/train")] == [1, 2, 3, 4, 5]


def exported(elman, tmp_path, *options):
    """A run trained for one epoch, and its ONNX model."""
    run, path = tmp_path / "run", tmp_path / "model.onnx"
    elman("train", *options, "--epochs", 1, "--hidden", 6, "--quiet", "--out", run)
    elman("convert", run, "--to", path)
    onnx.checker.check_model(str(path), full_check=True)
    return run, path


def state_of(session, batch):
    shapes = {i.name: i.shape for i in session.get_inputs() if i.name != "x"}
    random = np.random.default_rng(1)
    return {n: random.normal(size=(s[0], batch, s[2])).astype(np.float32) * 0.3 for n, s in shapes.items()}


def steps_are_the_whole(session, x, state):
    """One step at a time with the state carried gives what the whole gives; both are given back."""
    whole = session.run(None, {"x": x, **state})
    names = [o.name for o in session.get_outputs()]
    outputs = []
    for t in range(len(x)):
        step = dict(zip(names, session.run(None, {"x": x[t : t + 1], **state})))
        state = {name: step[name[0]] for name in state}
        outputs.append(step["y"])
    whole = dict(zip(names, whole))
    np.testing.assert_allclose(np.concatenate(outputs), whole["y"], rtol=1e-5, atol=1e-5 * np.abs(whole["y"]).max())
    for name, value in state.items():
        np.testing.assert_allclose(value, whole[name[0]], rtol=1e-5, atol=1e-5)
    return whole


@pytest.mark.parametrize("cell", ["elman", "elman-relu", "elman-linear", "lstm", "gru", "gru-before"])
@pytest.mark.parametrize("layers", [1, 2])
def test_forecasters_in_the_runtime(cell, layers, elman, tmp_path):
    run, path = exported(elman, tmp_path, "--cell", cell, "--layers", layers)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(2).uniform(0, 150, size=(9, 3, 1)).astype(np.float32)
    whole = steps_are_the_whole(session, x, state_of(session, 3))
    # The same through elman's own reader.
    arguments = []
    for name, array in {"x": x, **state_of(session, 3)}.items():
        np.save(tmp_path / f"{name}.npy", array)
        arguments += ["--input", f"{name}={tmp_path}/{name}.npy"]
    elman("onnx", "run", path, *arguments, "--output-dir", tmp_path / "out")
    for name, array in whole.items():
        mine = np.load(tmp_path / "out" / f"{name}.npy")
        np.testing.assert_allclose(mine, array, rtol=1e-5, atol=1e-5 * np.abs(array).max())


def test_what_the_runtime_forecasts_is_what_elman_predicts(elman, tmp_path):
    values = np.sin(np.arange(300) / 5) * 40 + 100 + np.arange(300) % 7
    (tmp_path / "s.csv").write_text("v\n" + "\n".join(str(v) for v in values) + "\n")
    run, path = exported(elman, tmp_path, tmp_path / "s.csv", "--target", "v", "--cell", "gru")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    x = values.astype(np.float32).reshape(-1, 1, 1)
    start = {n: a * 0 for n, a in state_of(session, 1).items()}
    y = session.run(["y"], {"x": x, **start})[0]
    said = elman("predict", run, "--steps", 1)
    forecast = float(said.strip().splitlines()[-1].split(",")[-1])
    assert y[-1, 0, 0] == pytest.approx(forecast, rel=1e-5)


def test_text_models_in_the_runtime(elman, tmp_path):
    (tmp_path / "t.txt").write_text("the quick brown fox jumps over the lazy dog. " * 60)
    _, path = exported(elman, tmp_path, tmp_path / "t.txt", "--cell", "lstm")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(2).integers(0, 20, size=(7, 2))
    steps_are_the_whole(session, x, state_of(session, 2))


def test_a_leak_has_no_operator(elman, tmp_path):
    run = tmp_path / "run"
    elman("train", "--cell", "leaky", "--epochs", 1, "--quiet", "--out", run)
    said = elman("convert", run, "--to", tmp_path / "m.onnx", fails=True)
    assert said.count("\n") == 1 and "ONNX has no operator for the cell leaky" in said


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
def test_a_state_dict_comes_back_bit_for_bit(cell, elman, tmp_path):
    gates = {"elman": 1, "lstm": 4, "gru": 3}[cell]
    random = np.random.default_rng(4)
    normal = lambda *shape: random.normal(size=shape).astype(np.float32)
    weights = {}
    for layer, reads in enumerate([3, 10]):
        for tail in ["", "_reverse"]:
            weights[f"rnn.weight_ih_l{layer}{tail}"] = normal(gates * 5, reads)
            weights[f"rnn.weight_hh_l{layer}{tail}"] = normal(gates * 5, 5)
            weights[f"rnn.bias_ih_l{layer}{tail}"] = normal(gates * 5)
            weights[f"rnn.bias_hh_l{layer}{tail}"] = normal(gates * 5)
    weights |= {"fc.weight": normal(2, 10), "fc.bias": normal(2)}
    weights["fc.bias"][0] = np.float32(1e-42)  # denormal
    there, ours, back = (tmp_path / f"{n}.safetensors" for n in ["there", "ours", "back"])
    save_file(weights, there)
    elman("convert", there, "--to", ours, "--cell", cell)
    elman("convert", ours, "--to", back, "--prefix", "rnn.", "--readout", "fc")
    again = load_file(back)
    assert set(again) == set(weights)
    for name, weight in weights.items():
        assert again[name].tobytes() == weight.tobytes() and again[name].shape == weight.shape
    elman("convert", ours, "--tensor", "weight_hh_l1", "--to", tmp_path / "w.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "w.npy"), weights["rnn.weight_hh_l1"])


@pytest.mark.parametrize("name", ["m.pt", "m.pth"])
def test_pickles_are_never_opened(name, elman, tmp_path):
    # There is no such file: it is refused before it is looked for.
    said = elman("convert", tmp_path / name, "--to", tmp_path / "m.safetensors", fails=True)
    assert said.count("\n") == 1 and "never opened" in said and "save_file" in said
