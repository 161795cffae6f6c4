"""A whole run: from a data set and a recipe to a folder with model, record and figures."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from convolens.bundle import Model
from convolens.config import check_whole
from convolens.data import Dataset
from convolens.evaluation import Evaluation, evaluate
from convolens.training.budget import Budget
from convolens.training.cadence import EVERY, CheckpointEvery
from convolens.training.checkpoints import Checkpoint
from convolens.training.ending import (
    disk_message,
    last_state,
    note_end,
    run_results,
    write_figures,
)
from convolens.training.events import Callback, Event, RunStarted
from convolens.training.interrupts import terminate_as_interrupt
from convolens.training.locking import lock_run
from convolens.training.loop import FitResult, fit
from convolens.training.measuring import Diverged
from convolens.training.metrics_log import MetricsLog
from convolens.training.planning import Plan, keep_reserve, plan_run
from convolens.training.recording import Job, new_record, prepare_job
from convolens.training.run import METRICS, Run, clear_claimed, make_run_folder, write_record
from convolens.training.saving import CheckpointSaver, ModelKeeper, disk_error
from convolens.training.saving_events import RunResumed
from convolens.training.settings import Recipe
from convolens.training.tensorboard import TensorBoardWriter
from convolens.training.trained_on import TRAINED_ON, remember_training_pictures

BOARDS = "tensorboard"
"""The folder in a run's that holds its files for TensorBoard."""


def train_recipe(
    data: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    path: str | Path | None = None,
    problems: Mapping[str, int] = MappingProxyType({}),
    checkpoint_every: CheckpointEvery = EVERY,
    budget: Budget | None = None,
    tensorboard: bool = False,
    figures: bool = True,
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
        budget: the time that the whole run may take, instead of the recipe's epochs.
        tensorboard: whether to write files for TensorBoard, too, in ``tensorboard`` in the folder.
        figures: whether to draw the learning curves and the confusion matrix.
        on_event: called with every event.

    Returns:
        The run, with the best model of it on disk. After Ctrl-C or SIGTERM its status is
        "interrupted", and :func:`convolens.training.resuming.resume_run` goes on with it.

    Raises:
        ConfigError: the recipe does not fit the data, the folder is taken or in use, or training
            diverged. What was reached before stays in the folder, with the status "failed".
        ExtraMissing: TensorBoard is asked for and not installed.
        OSError: the disk is full. The last checkpoint is whole.
    """
    begin = time.perf_counter()
    check_whole("seed", seed, 0, 2**64 - 1)
    job = prepare_job(data, recipe, seed)
    return train_plan(
        _planned(job, recipe, budget, figures=figures),
        path=path,
        problems=problems,
        checkpoint_every=checkpoint_every,
        tensorboard=tensorboard,
        figures=figures,
        begin=begin,
        on_event=on_event,
    )


def train_plan(
    plan: Plan,
    *,
    path: str | Path | None = None,
    problems: Mapping[str, int] = MappingProxyType({}),
    checkpoint_every: CheckpointEvery = EVERY,
    tensorboard: bool = False,
    figures: bool = True,
    begin: float | None = None,
    on_event: Callback = lambda _: None,
) -> Run:
    """Train as it was planned, and write the run.

    Args:
        plan: what is trained, on what, in what time.
        path: as for :func:`train_recipe`, like all others.
        problems: likewise.
        checkpoint_every: likewise.
        tensorboard: likewise.
        figures: likewise.
        begin: ``time.perf_counter()`` when the run began: by default now. That of a budget goes
            before it.
        on_event: called with every event.

    Returns:
        The run, as :func:`train_recipe` does, with the same errors.
    """
    begin = time.perf_counter() if begin is None else begin
    job, budget = plan.job, plan.budget
    folder = make_run_folder(path, data=job.data.name, recipe=job.recipe.name)
    with lock_run(folder), terminate_as_interrupt():
        clear_claimed(folder)
        record = new_record(job, problems, budget_seconds=budget and budget.seconds)
        write_record(folder, record)
        return carry_out(
            plan,
            folder,
            record,
            begin=begin if budget is None else budget.started,
            checkpoint_every=checkpoint_every,
            tensorboard=tensorboard,
            figures=figures,
            on_event=on_event,
        )


def carry_out(
    plan: Plan,
    folder: Path,
    record: Mapping[str, Any],
    *,
    begin: float,
    checkpoint_every: CheckpointEvery,
    tensorboard: bool,
    figures: bool,
    on_event: Callback,
    checkpoint: Checkpoint | None = None,
    resumed: RunResumed | None = None,
) -> Run:
    """Train in a folder that is locked and has its record, from the start or from a checkpoint.

    Args:
        plan: what is trained, on what, in what time.
        folder: of the run.
        record: what ``run.json`` holds.
        begin: ``time.perf_counter()`` when the run began, put back by what earlier parts took.
        checkpoint_every: as for :func:`train_recipe`.
        tensorboard: likewise.
        figures: likewise.
        on_event: called with every event.
        checkpoint: to go on from; None starts with the first step.
        resumed: told first, if this is not the first part of the run.

    Returns:
        The run.
    """
    job = plan.job
    log = MetricsLog(folder / METRICS, keep=checkpoint.facts["events"] if checkpoint else 0)
    saver = CheckpointSaver(folder, checkpoint_every, job, log, begin=begin)
    listeners: list[Callback] = [on_event]

    def tell(event: Event) -> None:
        if not (checkpoint and isinstance(event, RunStarted)):  # the log has that of the first part
            log(event)
        for listener in listeners:
            listener(event)

    saver.on_event = tell
    ended = dict(record)
    try:
        if not (folder / TRAINED_ON).exists():
            remember_training_pictures(folder, job.data)
        if resumed is not None:
            tell(resumed)
        if checkpoint is None:  # one that has a checkpoint has the time that was left there
            plan = keep_reserve(plan, figures=figures)
        keeper = ModelKeeper(folder / "model", job)
        listeners.insert(0, keeper)
        with _boards(folder / BOARDS if tensorboard else None, listeners):
            result = _fit(plan, keeper, saver, checkpoint, tell)
        model, test = _judged(plan, keeper, result, ended, begin=begin)
        log.close()
        run = Run(
            path=folder,
            record={**ended, "status": result.status},
            dataset=job.data,
            stop_asked=result.stop_asked,
            test=test,
        )
        if figures:
            run = write_figures(run, model, test)
        write_record(folder, run.record)
    except BaseException as error:
        note_end(folder, ended, error)
        if (reason := disk_error(error)) is not None:
            raise OSError(disk_message(folder, reason)) from error
        raise
    finally:
        with suppress(OSError):
            log.close()
    return run


def _judged(
    plan: Plan, keeper: ModelKeeper, result: FitResult, record: dict[str, Any], *, begin: float
) -> tuple[Model, Evaluation | None]:
    """Save the model, judge it on the test pictures, and put the results into the record."""
    job = plan.job

    def note(test: Evaluation | None) -> Model:
        model = keeper.save(result.best, test)
        results = run_results(job, result, test, timed=plan.budget is not None)
        record["results"] = {**results, "total_seconds": time.perf_counter() - begin}
        return model

    job.network.eval()
    model = note(None)  # on disk before anything else: an interrupt while judging costs no training
    if job.data.test is None:
        return model, None
    test = evaluate(model, job.data)
    return note(test), test


def _planned(job: Job, asked: Recipe, budget: Budget | None, *, figures: bool) -> Plan:
    """How the run will go; measured only where a budget needs it, or a person will read it."""
    if budget is None and not figures:
        return Plan(job=job)
    return plan_run(job, budget, asked=asked, figures=figures)


@contextmanager
def _boards(folder: Path | None, listeners: list[Callback]) -> Iterator[None]:
    """While the block runs, one listener more: it writes for TensorBoard."""
    if folder is None:
        yield
        return
    writer = TensorBoardWriter(folder)
    listeners.append(writer)
    try:
        yield
    finally:
        with suppress(OSError):
            writer.close()


def _fit(
    plan: Plan,
    keeper: ModelKeeper,
    saver: CheckpointSaver,
    checkpoint: Checkpoint | None,
    tell: Callback,
) -> FitResult:
    job = plan.job
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
            budget=plan.budget,
            expected=plan.expected,
        )
    except Diverged as error:
        if error.best is not None:
            job.network.eval()
            keeper.save(error.best)
            error.keep(f"the model of epoch {error.best.epoch} is in {keeper.path}")
        error.keep(last_state(keeper.path.parent))
        raise
