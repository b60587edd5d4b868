"""Training, watching, stopping, going on, and using what was trained."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import typing
from pathlib import Path

import numpy as np
import pandas
import pytest

import elman


def test_an_array_becomes_a_run(wave, quick):
    run = elman.train(wave, **quick)
    assert run.path == Path("runs/array") and run.outcome == "finished"
    for file in ("model.safetensors", "config.toml", "metrics.jsonl", "checkpoint.safetensors", "report.html"):
        assert (run.path / file).exists(), file
    assert [epoch["epoch"] for epoch in run.epochs] == [1, 2, 3]
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert lines == run.epochs
    assert run.best_loss == min(epoch["validation_loss"] for epoch in run.epochs)
    assert run.config["hidden"] == 4 and run.config["task"] == "forecast"
    assert run.evaluation["task"] == "forecast"
    assert run.parameters == sum(array.size for array in run.model.state_dict().values())
    assert elman.train(wave, **quick).path == Path("runs/array-2")


def test_the_same_data_in_every_form_make_the_same_network(wave, quick):
    columns = {"a": wave, "b": np.cos(wave)}
    both = np.stack(list(columns.values()), axis=1)
    with open("table.csv", "w") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([[repr(float(x)) for x in row] for row in both])
    runs = [
        elman.train("table.csv", target="a", features=["b"], **quick),
        elman.train(Path("table.csv"), target="a", features=("b",), **quick),
        elman.train(columns, **quick),
        elman.train(both, **quick),
    ]
    runs.append(elman.train(pandas.DataFrame(columns), **quick))
    first = runs[0].model.state_dict()
    for run in runs[1:]:
        assert all((array == first[name]).all() for name, array in run.model.state_dict().items())
    assert runs[2].model.columns == ["a", "b"] and runs[3].model.columns == ["column_1", "column_2"]


def test_the_shipped_series_without_data(quick):
    run = elman.train(epochs=2, progress=False)
    assert run.path == Path("runs/sunspots")
    assert run.model.predict(steps=3).shape == (3,)


def test_numpy_numbers_are_options(wave, quick):
    run = elman.train(wave, **quick | {"hidden": np.int64(5), "learning_rate": np.float32(0.25)})
    assert run.config["hidden"] == 5 and run.config["learning_rate"] == 0.25


def test_callback_sees_every_epoch_and_may_stop(wave, quick):
    seen = []

    def callback(epoch):
        seen.append(epoch)
        return epoch["epoch"] == 2

    run = elman.train(wave, callback=callback, **quick | {"epochs": 10})
    assert run.outcome == "interrupted" and len(run.epochs) == 2 and seen == run.epochs


def test_what_a_callback_raises_is_raised_and_the_run_goes_on_to_the_same_bits(wave, quick):
    class Stop(Exception):
        pass

    def callback(epoch):
        if epoch["epoch"] == 2:
            raise Stop

    with pytest.raises(Stop) as raised:
        elman.train(wave, out="stopped", callback=callback, **quick)
    if sys.version_info >= (3, 11):
        assert "elman.train(resume=" in raised.value.__notes__[0]
    resumed = elman.train(resume="stopped", progress=False)
    whole = elman.train(wave, out="whole", **quick)
    assert len(resumed.epochs) == 3
    parts = resumed.model.state_dict(), whole.model.state_dict()
    assert all((parts[0][name] == parts[1][name]).all() for name in parts[0])


PROGRAM = """
import numpy as np, elman, signal, sys
# As a terminal starts programs; what is started in the background ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
wave = np.sin(0.3 * np.arange(2000))
def callback(epoch):
    print("epoch", epoch["epoch"], flush=True)
elman.train(wave, out="long", epochs=100000, hidden=64, patience=0, callback=callback, progress=False)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_saves_and_raises():
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "epoch 1\n"
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in said and process.returncode != 0
    assert time.monotonic() - sent < 30, "it stops within an epoch, not at the end"
    model = elman.load("long")
    assert model.predict(steps=2).shape == (2,)
    resumed = elman.train(resume="long", epochs=1, progress=False)
    assert len(resumed.epochs) >= 1


def test_progress_as_lines_and_as_a_bar(wave, quick, capsys, monkeypatch):
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "tqdm.auto", None)
        elman.train(wave, **quick | {"progress": True})
    assert re.search(r"epoch 3 of 3: loss [\d.]+, validation [\d.]+", capsys.readouterr().err)
    elman.train(wave, out="bar", **quick | {"progress": True})
    assert re.search(r"3\.0/3 .*validation", capsys.readouterr().err)


def test_text_and_what_it_writes(quick):
    text = "the quick brown fox jumps over the lazy dog\n" * 60
    run = elman.train(text, hidden=8, epochs=1, batch=4, progress=False)
    assert run.config["task"] == "text" and run.evaluation["task"] == "text"
    wrote = run.model.generate("the ", length=30, seed=3)
    assert len(wrote) == 30 and set(wrote) <= set(text)
    assert wrote == run.model.generate("the ", length=30, seed=3)


def test_forecasts_agree_however_they_are_asked_for(wave, quick):
    model = elman.train(np.stack([wave, np.cos(wave)], axis=1), **quick).model
    rows = np.stack([wave, np.cos(wave)], axis=1)
    one_step = model.one_step(rows)
    assert np.isnan(one_step[0]) and np.isfinite(one_step[1:]).all()
    assert (one_step[1:] == model.one_step()[1:]).all(), "the data it was trained on are kept"
    out = np.empty(2)
    for t, row in enumerate(rows[:-1]):
        assert model.step(row, out=out) is out
        assert out[0] == one_step[t + 1], t
    model.reset()
    assert model.step(rows[0])[0] == one_step[1]
    assert model.predict(rows[:-1], steps=1)[0] == one_step[-1]
    assert (model.predict(steps=5) == model.predict(rows, steps=5)).all()


def test_evaluate_again(wave, quick):
    run = elman.train(wave, **quick)
    assert run.model.evaluate() == run.evaluation


def test_the_options_are_those_of_the_command():
    with pytest.raises(ValueError, match="unknown field `nonsense`") as refused:
        elman.train(nonsense=1)
    listed = str(refused.value).split("expected one of ")[1]
    names = set(re.findall(r"`(\w+)`", listed)) - {"data", "labels"}
    assert names == set(typing.get_type_hints(elman.Options)), "Options and the command's flags have parted"


WRONG = [
    (lambda: elman.train(np.zeros((3, 2, 2))), ValueError, r"\(3, 2, 2\)"),
    (lambda: elman.train(np.array(["a", "b"])), TypeError, "<U1"),
    (lambda: elman.train({"a": [1, 2], "b": [1]}), ValueError, "1 and 2 rows"),
    (lambda: elman.train("absent.csv"), FileNotFoundError, "absent.csv"),
    (lambda: elman.train(hidden=0), ValueError, "hidden is 0"),
    (lambda: elman.train(cell="perceptron"), ValueError, "perceptron"),
    (lambda: elman.train(hidden="many"), ValueError, "many"),
    (lambda: elman.train(np.ones(100)), ValueError, "1 in every row"),
    (lambda: elman.train(np.ones(100), resume="runs/x"), ValueError, "own data"),
    (lambda: elman.train(resume="absent"), FileNotFoundError, "absent"),
    (lambda: elman.load("absent"), FileNotFoundError, "absent"),
]


@pytest.mark.parametrize(("wrong", "kind", "says"), WRONG, ids=[says for *_, says in WRONG])
def test_wrong_input_is_named_and_leaves_no_folder(wrong, kind, says):
    with pytest.raises(kind, match=says):
        wrong()
    assert not list(Path(".").glob("runs/*"))


def test_wrong_use_of_a_model_is_named(wave, quick):
    model = elman.train(wave, **quick).model
    with pytest.raises(ValueError, match=r"\(200, 2\).*column_1"):
        model.predict(np.stack([wave, wave], axis=1))
    with pytest.raises(ValueError, match="row 3 of column \"column_1\" is NaN"):
        model.predict(np.where(np.arange(200) == 3, np.nan, wave))
    with pytest.raises(ValueError, match="2 numbers, and the model has 1 columns"):
        model.step([1.0, 2.0])
    with pytest.raises(ValueError, match="steps is 0"):
        model.predict(steps=0)
    with pytest.raises(ValueError, match="forecast"):
        model.generate("a")


def test_a_run_that_is_there_is_not_overwritten(wave, quick):
    run = elman.train(wave, out="mine", **quick)
    before = (run.path / "model.safetensors").read_bytes()
    with pytest.raises(ValueError, match="there is a run already"):
        elman.train(wave + 1, out="mine", **quick)
    assert (run.path / "model.safetensors").read_bytes() == before
    assert run.model.evaluate() == run.evaluation


def walks(n=40, steps=12):
    """Random walks, whether they end above zero, and their mean."""
    x = np.random.default_rng(0).standard_normal((n, steps)).cumsum(axis=1)
    return x, np.where(x[:, -1] > 0, "up", "down"), x.mean(axis=1)


QUICK_LABELS = {"hidden": 8, "epochs": 15, "progress": False, "threads": 1}


def test_sequences_with_names_are_classified():
    x, names, _ = walks()
    run = elman.train(x, names, **QUICK_LABELS | {"epochs": 60, "learning_rate": 0.01})
    model = run.model
    assert run.config["task"] == model.task == "classify" and model.classes == ["down", "up"]
    p = model.probabilities(x)
    assert p.shape == (40, 2) and np.allclose(p.sum(axis=1), 1)
    assert (model.predict(x) == np.asarray(model.classes)[p.argmax(axis=1)]).all()
    assert (model.predict(x[..., None]) == model.predict(x)).all()
    assert (model.predict() == model.predict(x)).all(), "the data it was trained on are kept"
    assert (model.predict(x) == names).mean() > 0.8


def test_sequences_of_unequal_length_with_numbers_are_regressed():
    x, _, mean = walks()
    ragged = [row[: 6 + i % 7] for i, row in enumerate(x)]
    model = elman.train(ragged, [row.mean() for row in ragged], **QUICK_LABELS).model
    assert model.task == "regress"
    said = model.predict(ragged)
    assert said.shape == mean.shape
    assert (said[[3, 1]] == model.predict([ragged[3], ragged[1]])).all(), "each sequence is answered as if alone"


def test_every_step_labelled():
    x, _, _ = walks()
    steps = [np.where(row > 0, "over", "under") for row in x]
    model = elman.train(list(x), steps, task="label", **QUICK_LABELS).model
    said = model.predict(x[:2])
    assert [row.shape for row in said] == [(12,), (12,)] and set(said[0]) <= {"over", "under"}
    assert model.probabilities(x[:2])[1].shape == (12, 2)


def test_arrays_on_disk_are_read_by_path():
    x, _, mean = walks()
    np.save("x.npy", x)
    np.save("y.npy", mean)
    by_path = elman.train("x.npy", "y.npy", task="regress", **QUICK_LABELS).model
    in_memory = elman.train(x, mean, **QUICK_LABELS).model
    first, second = by_path.state_dict(), in_memory.state_dict()
    assert all((first[name] == second[name]).all() for name in first)
    assert by_path.evaluate("x.npy", "y.npy")["task"] == by_path.evaluate()["task"]


def test_pairs_of_texts():
    Path("pairs.tsv").write_text("".join(f"{a}{b}\t{b}{a}\n" for a in "abcdef" for b in "abcdef"))
    run = elman.train("pairs.tsv", task="seq2seq", hidden=8, epochs=2, progress=False, threads=1)
    said = run.model.predict(["ab", "cd"])
    assert len(said) == 2 and set("".join(said)) <= set("abcdef")
    assert all(0 < probability <= 1 for _, probability in run.model.say(["ab", "cd"], beam=1))


WRONG_LABELS = [
    (lambda: elman.train(np.zeros((3, 4)), [1, 2]), "2 labels for 3 sequences"),
    (lambda: elman.train([[1.0, 2.0], [1.0]], [[1], [2]]), r"label 0 has the shape \(1,\).*one for the sequence"),
    (lambda: elman.train([[1.0, 2.0], [1.0]], [[1], [2]], task="label"), r"label 0 has the shape \(1,\).*\(2,\)"),
    (lambda: elman.train([np.zeros((0, 2))], [1]), r"sequence 0 has the shape \(0, 2\)"),
    (lambda: elman.train("x.csv", [1, 2]), "both as paths"),
]


@pytest.mark.parametrize(("wrong", "says"), WRONG_LABELS, ids=[says for _, says in WRONG_LABELS])
def test_wrong_labels_are_named(wrong, says):
    with pytest.raises(ValueError, match=says):
        wrong()
    assert not list(Path(".").glob("runs/*"))
