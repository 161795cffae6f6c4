"""A whole run: from a data set and a recipe to a folder with model, record and figures."""

import shlex
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from convolens.config import check_whole
from convolens.data import Dataset
from convolens.evaluation import Evaluation, evaluate
from convolens.training.cadence import EVERY, CheckpointEvery
from convolens.training.checkpoints import CHECKPOINTS, Checkpoint
from convolens.training.events import Callback, Event, RunStarted
from convolens.training.interrupts import terminate_as_interrupt
from convolens.training.locking import lock_run
from convolens.training.loop import FitResult, fit
from convolens.training.measuring import Diverged
from convolens.training.metrics_log import MetricsLog
from convolens.training.recording import Job, new_record, prepare_job
from convolens.training.run import METRICS, Run, clear_claimed, make_run_folder, write_record
from convolens.training.saving import CheckpointSaver, ModelKeeper, disk_error
from convolens.training.saving_events import RunResumed
from convolens.training.settings import Recipe
from convolens.training.trained_on import TRAINED_ON, remember_training_pictures


def train_recipe(
    data: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    path: str | Path | None = None,
    problems: Mapping[str, int] = MappingProxyType({}),
    checkpoint_every: CheckpointEvery = EVERY,
    on_event: Callback = lambda _: None,
) -> Run:
    """Train by a recipe and write the run.

    Args:
        data: training, validation and, where there is one, test split.
        recipe: every setting.
        seed: of initial weights, order, augmentation and dropout.
        path: folder of the run; by default ``runs/<data>-<recipe>-<n>``.
        problems: how many problems of each kind the data have, for the record.
        checkpoint_every: time between two checkpoints, such as "30s", "2m" or "off"; where they
            would cost over 2 % of the run they are fewer. They change no weight.
        on_event: called with every event.

    Returns:
        The run, with the best model of it on disk. After Ctrl-C or SIGTERM its status is
        "interrupted", and :func:`convolens.training.resuming.resume_run` goes on with it.

    Raises:
        ConfigError: the recipe does not fit the data, the folder is taken or in use, or training
            diverged. What was reached before stays in the folder, with the status "failed".
        OSError: the disk is full. The last checkpoint is whole.
    """
    begin = time.perf_counter()
    check_whole("seed", seed, 0, 2**64 - 1)
    job = prepare_job(data, recipe, seed)
    folder = make_run_folder(path, data=data.name, recipe=recipe.name)
    with lock_run(folder), terminate_as_interrupt():
        clear_claimed(folder)
        record = new_record(job, problems)
        write_record(folder, record)
        return carry_out(
            job, folder, record, begin=begin, checkpoint_every=checkpoint_every, on_event=on_event
        )


def carry_out(
    job: Job,
    folder: Path,
    record: Mapping[str, Any],
    *,
    begin: float,
    checkpoint_every: CheckpointEvery,
    on_event: Callback,
    checkpoint: Checkpoint | None = None,
    resumed: RunResumed | None = None,
) -> Run:
    """Train in a folder that is locked and has its record, from the start or from a checkpoint.

    Args:
        job: what is trained, on what.
        folder: of the run.
        record: what ``run.json`` holds.
        begin: ``time.perf_counter()`` when the run began, put back by what earlier parts took.
        checkpoint_every: as for :func:`train_recipe`.
        on_event: called with every event.
        checkpoint: to go on from; None starts with the first step.
        resumed: told first, if this is not the first part of the run.
    """
    log = MetricsLog(folder / METRICS, keep=checkpoint.facts["events"] if checkpoint else 0)
    keeper = ModelKeeper(folder / "model", job)
    saver = CheckpointSaver(folder, checkpoint_every, job, log, begin=begin)

    def tell(event: Event) -> None:
        if not (checkpoint and isinstance(event, RunStarted)):  # the log has that of the first part
            log(event)
        keeper(event)
        on_event(event)

    saver.on_event = tell
    results: dict[str, Any] = {}
    try:
        if not (folder / TRAINED_ON).exists():
            remember_training_pictures(folder, job.data)
        if resumed is not None:
            tell(resumed)
        result = _fit(job, keeper, saver, checkpoint, tell)
        job.network.eval()
        # On disk before anything else: an interrupt while judging costs no training.
        keeper.model(result.best).save(folder / "model")
        results = _results(job, result, None)
        test = evaluate(keeper.model(result.best), job.data) if job.data.test is not None else None
        keeper.model(result.best, test).save(folder / "model")
        results = _results(job, result, test)
        results["total_seconds"] = time.perf_counter() - begin
        run = Run(
            path=folder,
            record={**record, "status": result.status, "results": results},
            dataset=job.data,
        )
        log.close()
        _write_figures(run, test)
        write_record(folder, run.record)
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        status = "interrupted" if interrupted else "failed"
        with suppress(OSError):  # what went wrong first is what must be said
            write_record(folder, {**record, "results": results, "status": status})
        if interrupted:
            error.add_note(f"go on with: {resume_command(folder)}")
        if (reason := disk_error(error)) is not None:
            raise OSError(_disk_message(folder, reason)) from error
        raise
    finally:
        with suppress(OSError):
            log.close()
    return run


def _fit(
    job: Job,
    keeper: ModelKeeper,
    saver: CheckpointSaver,
    checkpoint: Checkpoint | None,
    tell: Callback,
) -> FitResult:
    try:
        return fit(
            job.network,
            job.preprocessing,
            job.data.train,
            job.data.validation,
            job.recipe,
            seed=job.seed,
            on_event=tell,
            saver=saver,
            resumed=checkpoint.state if checkpoint else None,
        )
    except Diverged as error:
        if error.best is not None:
            job.network.eval()
            keeper.model(error.best).save(keeper.path)
            error.keep(f"the model of epoch {error.best.epoch} is in {keeper.path}")
        error.keep(_last_state(keeper.path.parent))
        raise


def resume_command(folder: Path) -> str:
    """What to type to go on with a run."""
    return f"convolens train --resume --run {shlex.quote(str(folder))}"


def _disk_message(folder: Path, reason: str) -> str:
    return (
        f"{folder} cannot be written to ({reason}); {_last_state(folder)}. Make room, then go on "
        f"with: {resume_command(folder)}"
    )


def _last_state(folder: Path) -> str:
    saved = sorted((folder / CHECKPOINTS).glob("step-*"))
    return f"the last good state is {saved[-1]}" if saved else "there was no checkpoint yet"


def _results(job: Job, result: FitResult, test: Evaluation | None) -> dict[str, Any]:
    return {
        "data": job.data.name,
        "recipe": job.recipe.name,
        "seed": job.seed,
        "epochs": job.recipe.epochs,
        "parameters": sum(parameter.numel() for parameter in job.network.parameters()),
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
