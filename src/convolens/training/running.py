"""A whole run: from a data set and a recipe to a folder with model, record and figures."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import nn

from convolens.bundle import Model
from convolens.config import check_whole, to_dict
from convolens.data import Dataset, Preprocessing, fit_preprocessing, is_official
from convolens.evaluation import Evaluation, evaluate
from convolens.training.events import Callback, EpochDone, Event, EventWriter
from convolens.training.hardware import choose_device, describe_machine
from convolens.training.loop import FitResult, fit
from convolens.training.run import METRICS, Run, make_run_folder, write_record
from convolens.training.settings import Recipe
from convolens.training.trained_on import remember_training_pictures
from convolens.zoo import build_network

KEEP_EVERY = 30.0  # seconds between two writings of a better model while the run goes


def train_recipe(
    data: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    path: str | Path | None = None,
    problems: Mapping[str, int] = MappingProxyType({}),
    on_event: Callback = lambda _: None,
) -> Run:
    """Train by a recipe and write the run.

    Args:
        data: training, validation and, where there is one, test split.
        recipe: every setting.
        seed: of initial weights, order, augmentation and dropout.
        path: folder of the run; by default ``runs/<data>-<recipe>-<n>``.
        problems: how many problems of each kind the data have, for the record.
        on_event: called with every event.

    Returns:
        The run, with the best model of it on disk. After Ctrl-C its status is "interrupted".

    Raises:
        ConfigError: the recipe does not fit the data, the folder is taken, or training diverged.
            What was reached before stays in the folder, with the status "failed".
    """
    begin = time.perf_counter()
    check_whole("seed", seed, 0, 2**64 - 1)
    recipe = recipe.settled(len(data.train.labels))
    preprocessing = fit_preprocessing(recipe.preprocessing, data.train.images, fit=data.fit)
    device = choose_device()
    network = build_network(
        recipe.architecture, data.shape, len(data.class_names), seed=seed, **recipe.arguments
    ).to(device)
    folder = make_run_folder(path, data=data.name, recipe=recipe.name)
    record: dict[str, Any] = {
        "recipe": to_dict(recipe),
        "seed": seed,
        "data": {
            "name": data.name,
            "source": _source(data),
            "fingerprint": data.fingerprint,
            "shape": list(data.shape),
            "options": dict(data.options),
            "counts": {name: len(split.labels) for name, split in data.splits.items()},
            "classes": list(data.class_names),
            "seen": data.n_seen,
            "used": data.n_used,
            "skipped": [to_dict(problem) for problem in data.skipped],
            "problems": dict(problems),
        },
        "machine": describe_machine(device),
        "status": "running",
        "results": {},
    }
    write_record(folder, record)
    remember_training_pictures(folder, data)
    writer = EventWriter(folder / METRICS)
    keeper = _Keeper(folder / "model", network, recipe, preprocessing, data.class_names)

    def tell(event: Event) -> None:
        writer(event)
        keeper(event)
        on_event(event)

    try:
        result = fit(
            network, preprocessing, data.train, data.validation, recipe, seed=seed, on_event=tell
        )
        network.eval()
        # On disk before anything else: an interrupt while judging costs no training.
        keeper.model(result.best).save(folder / "model")
        record |= {
            "precision": result.precision,
            "results": _results(data, recipe, seed, network, result, None),
        }
        test = evaluate(keeper.model(result.best), data) if data.test is not None else None
        keeper.model(result.best, test).save(folder / "model")
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        write_record(folder, {**record, "status": "interrupted" if interrupted else "failed"})
        raise
    finally:
        writer.close()
    results = _results(data, recipe, seed, network, result, test)
    results["total_seconds"] = time.perf_counter() - begin
    record |= {"status": result.status, "results": results}
    write_record(folder, record)
    run = Run(path=folder, record=record, dataset=data)
    _write_figures(run, test)
    return run


@dataclass(frozen=True, eq=False)
class _Keeper:
    """Writes a better model while the run goes, so that a crash does not lose all of it."""

    path: Path
    network: nn.Module
    recipe: Recipe
    preprocessing: Preprocessing
    classes: tuple[str, ...]

    def __call__(self, event: Event) -> None:
        if isinstance(event, EpochDone) and event.best and self._due(event.seconds):
            self.model(event).save(self.path)

    def _due(self, seconds: float) -> bool:
        written = self.path / "model.json"
        if not written.exists():
            return seconds >= KEEP_EVERY
        return time.time() - written.stat().st_mtime >= KEEP_EVERY

    def model(self, best: EpochDone, test: Evaluation | None = None) -> Model:
        return Model(
            network=self.network,
            architecture=self.recipe.architecture,
            arguments=self.recipe.arguments,
            preprocessing=self.preprocessing,
            classes=self.classes,
            recipe=to_dict(self.recipe),
            metrics={
                "epoch": best.epoch,
                "val_accuracy": best.val_accuracy,
                "val_loss": best.val_loss,
                "test_accuracy": test.accuracy if test else None,
            },
        )


def _source(data: Dataset) -> str:
    """What ``load_data`` takes to find the data again, from any folder."""
    if is_official(data):
        return data.name
    path = Path(data.source)
    return str(path.resolve()) if path.exists() else data.source


def _results(
    data: Dataset,
    recipe: Recipe,
    seed: int,
    network: nn.Module,
    result: FitResult,
    test: Evaluation | None,
) -> dict[str, Any]:
    return {
        "data": data.name,
        "recipe": recipe.name,
        "seed": seed,
        "epochs": recipe.epochs,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "train_seconds": result.train_seconds,
        "images_per_second": result.images_per_second,
        "val_accuracy": result.best.val_accuracy,
        "test_accuracy": test.accuracy if test else None,
        "status": result.status,
        "best_epoch": result.best.epoch,
    }


def _write_figures(run: Run, test: Evaluation | None) -> None:
    from convolens.plotting import plot_confusion_matrix, save_figure

    figures = run.path / "figures"
    save_figure(run.plot_learning_curves(), figures / "learning_curves.png", dpi=150)
    if test is not None:
        names = tuple(entry.name for entry in test.per_class)
        matrix = plot_confusion_matrix(test.confusion_matrix, names)
        save_figure(matrix, figures / "confusion_matrix.png", dpi=150)
