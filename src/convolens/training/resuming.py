"""Going on with a run that was interrupted, killed or refused by a full disk."""

import time
from dataclasses import replace
from pathlib import Path

from convolens.bundle import Model
from convolens.data import Dataset
from convolens.errors import DataError, ModelError
from convolens.evaluation import evaluate
from convolens.training.budget import Budget
from convolens.training.cadence import EVERY, CheckpointEvery
from convolens.training.checkpoints import (
    CHECKPOINTS,
    clear_strays,
    newest_checkpoint,
    remove_newer,
)
from convolens.training.ending import disk_message, note_end, write_figures
from convolens.training.events import Callback
from convolens.training.interrupts import terminate_as_interrupt
from convolens.training.locking import lock_run
from convolens.training.planning import Plan
from convolens.training.recording import machine_differences, prepare_job, recorded_recipe
from convolens.training.run import Run, load_run, write_record
from convolens.training.running import BOARDS, carry_out
from convolens.training.saving import disk_error
from convolens.training.saving_events import RunResumed


def resume_run(
    path: str | Path,
    data: Dataset | None = None,
    *,
    checkpoint_every: CheckpointEvery = EVERY,
    tensorboard: bool = False,
    figures: bool = True,
    on_event: Callback = lambda _: None,
) -> Run:
    """Go on with a run, from its last whole checkpoint, to the bit as if it had never stopped.

    Settings and seed are those of its record. A run that died before its first checkpoint starts
    again; a completed one is only opened, and one that was stopped after its last step is judged,
    drawn and recorded without any training. One with a budget has what was left of it at its
    checkpoint, or all of it where there was none, with its reserve measured anew.

    Args:
        path: its folder.
        data: the data set it was trained on; by default it is loaded again.
        checkpoint_every: as for :func:`convolens.training.train_recipe`.
        tensorboard: likewise; a run that began with it goes on with it in any case.
        figures: likewise.
        on_event: called with every event; the first one is ``RunResumed``.

    Returns:
        The run.

    Raises:
        ModelError: it is not a run, or each of its checkpoints is damaged.
        DataError: the data are others than those it was trained on, or cannot be found.
        ConfigError: another process has the run, or training diverged.
        ExtraMissing: TensorBoard is asked for and not installed.
        OSError: the disk is full. The last checkpoint is whole.
    """
    begin = time.perf_counter()
    folder = load_run(path).path
    with lock_run(folder), terminate_as_interrupt():
        run = load_run(folder)
        if run.status == "completed":
            return run
        if data is None:
            data = run.data()
        elif data.fingerprint != run.record["data"]["fingerprint"]:
            raise DataError(
                f"{data.name} is not the data that {folder} was trained on (it was "
                f"{run.record['data']['source']}, and not one picture or label may differ); "
                "leave the data set out, or start a run of its own"
            )
        for place in (folder, folder / CHECKPOINTS, folder / "figures"):
            clear_strays(place)
        if (model := _trained_model(run)) is not None:
            return _finish(run, model, data, begin=begin, figures=figures)
        job = prepare_job(data, recorded_recipe(run.record), run.record["seed"])
        checkpoint, damaged = newest_checkpoint(folder / CHECKPOINTS)
        step = checkpoint.step if checkpoint else 0
        remove_newer(folder / CHECKPOINTS, step)
        notices = (
            *(f"{line}; going on from step {step}" for line in damaged),
            *machine_differences(run.record, job),
        )
        parts = [*run.record.get("resumed", []), {"step": step, "notices": list(notices)}]
        budget = run.record.get("budget_seconds")
        plan = Plan(job=job, budget=None if budget is None else Budget.from_now(budget))
        record = {**run.record, "status": "running", "results": {}, "resumed": parts}
        write_record(folder, record)
        return carry_out(
            plan,
            folder,
            record,
            begin=begin - (checkpoint.facts["total_seconds"] if checkpoint else 0.0),
            checkpoint_every=checkpoint_every,
            tensorboard=tensorboard or (folder / BOARDS).is_dir(),
            figures=figures,
            on_event=on_event,
            checkpoint=checkpoint,
            resumed=RunResumed(step=step, notices=notices),
        )


def _trained_model(run: Run) -> Model | None:
    """The model of a run whose training had ended when it was stopped; None of any other."""
    if run.results.get("status") != "completed":
        return None
    try:
        return run.model()
    except ModelError:  # one that is damaged is trained again
        return None


def _finish(run: Run, model: Model, data: Dataset, *, begin: float, figures: bool) -> Run:
    """Do what was left: judge the model on the test pictures, draw, write the record."""
    folder = run.path
    try:
        test = evaluate(model, data) if data.test is not None else None
        accuracy = test.accuracy if test else None
        model = replace(model, metrics={**model.metrics, "test_accuracy": accuracy})
        model.save(folder / "model")
        # How long the first part went on after its training may not have been written down.
        before = run.results.get("total_seconds", run.results["train_seconds"])
        total = before + time.perf_counter() - begin
        results = {**run.results, "test_accuracy": accuracy, "total_seconds": total}
        record = {**run.record, "status": "completed", "results": results}
        done = Run(path=folder, record=record, dataset=data, test=test)
        if figures:
            done = write_figures(done, model, test)
        write_record(folder, done.record)
    except BaseException as error:
        note_end(folder, run.record, error)
        if (reason := disk_error(error)) is not None:
            raise OSError(disk_message(folder, reason)) from error
        raise
    return done
