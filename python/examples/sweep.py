"""A sweep over hyper-parameters: Optuna chooses, elman trains.

Optuna's storage is shared: run this on several machines with the same --storage (a database's address) and they share
one sweep. Trials that fall behind the median are stopped early, through the callback.

    python sweep.py [--trials 12] [--epochs 20] [--storage sqlite:///sweep.db]
"""

import argparse
import tempfile
from pathlib import Path

import optuna

import elman


def objective(trial: optuna.Trial, epochs: int, folder: Path) -> float:
    """The loss on the 30 years before 1921 of a network trained on those before: the test years are never looked at."""

    def callback(epoch: elman.Epoch) -> None:
        assert epoch["validation_loss"] is not None
        trial.report(epoch["validation_loss"], epoch["epoch"])
        if trial.should_prune():
            raise optuna.TrialPruned

    run = elman.train(
        out=folder / f"trial-{trial.number}",
        progress=False,
        threads=1,
        callback=callback,
        epochs=epochs,
        validation=30 / 221,
        cell=trial.suggest_categorical("cell", ["elman", "leaky", "gru"]),
        hidden=trial.suggest_int("hidden", 4, 32, log=True),
        learning_rate=trial.suggest_float("learning_rate", 1e-3, 3e-2, log=True),
        weight_decay=trial.suggest_float("weight_decay", 1e-3, 1.0, log=True),
        gain=trial.suggest_float("gain", 0.3, 1.0),
    )
    assert run.best_loss is not None
    return run.best_loss


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--storage", help="a database that several machines share")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name="sunspots",
        storage=arguments.storage,
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=1),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=arguments.epochs // 4),
    )
    with tempfile.TemporaryDirectory() as folder:
        study.optimize(lambda trial: objective(trial, arguments.epochs, Path(folder)), arguments.trials)
    pruned = [t for t in study.trials if t.state == optuna.trial.TrialState.PRUNED]
    print(f"{len(study.trials)} trials, {len(pruned)} of them stopped early")
    print(f"best validation loss {study.best_value:.4f} with")
    for name, value in study.best_params.items():
        print(f"  {name} = {value}")


if __name__ == "__main__":
    main()
