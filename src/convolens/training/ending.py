"""What is left of a run when it ends, well or badly: its results, its figures, the last words."""

import math
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from convolens.bundle import Model
from convolens.evaluation import Evaluation
from convolens.training.checkpoints import CHECKPOINTS
from convolens.training.loop import FitResult
from convolens.training.recording import Job
from convolens.training.run import Run, write_record


def resume_command(folder: Path) -> str:
    """What to type to go on with a run."""
    return f"convolens train --resume --run {shlex.quote(str(folder))}"


def disk_message(folder: Path, reason: str) -> str:
    """What a full disk has spoilt, and what it has not."""
    return (
        f"{folder} cannot be written to ({reason}); {last_state(folder)}. Make room, then go on "
        f"with: {resume_command(folder)}"
    )


def last_state(folder: Path) -> str:
    """Where the newest checkpoint of a run is, in words."""
    saved = sorted((folder / CHECKPOINTS).glob("step-*"))
    return f"the last good state is {saved[-1]}" if saved else "there was no checkpoint yet"


def note_end(folder: Path, record: Mapping[str, Any], error: BaseException) -> None:
    """Write down that a run was interrupted or failed, and how to go on where it was the former."""
    interrupted = isinstance(error, KeyboardInterrupt)
    with suppress(OSError):  # what went wrong first is what must be said
        write_record(folder, {**record, "status": "interrupted" if interrupted else "failed"})
    if interrupted:
        error.add_note(f"go on with: {resume_command(folder)}")


def run_results(
    job: Job, result: FitResult, test: Evaluation | None, *, timed: bool
) -> dict[str, Any]:
    """What ``convolens train --json`` prints, but for the run's folder.

    Args:
        job: what was trained.
        result: what that gave.
        test: the model judged on the test pictures, if that was done.
        timed: whether the run had a time instead of epochs: then those are said that it made.
    """
    recipe = job.recipe
    epochs = recipe.epochs
    if timed:
        assert recipe.batch_size is not None
        steps_per_epoch = math.ceil(len(job.data.train.labels) / recipe.batch_size)
        epochs = round(result.epochs[-1].step / steps_per_epoch, 3)
    return {
        "data": job.data.name,
        "recipe": recipe.name,
        "seed": job.seed,
        "epochs": epochs,
        "parameters": sum(parameter.numel() for parameter in job.network.parameters()),
        "train_seconds": result.train_seconds,
        "images_per_second": result.images_per_second,
        "val_accuracy": result.best.val_accuracy,
        "test_accuracy": test.accuracy if test else None,
        "status": result.status,
        "best_epoch": result.best.epoch,
    }


def write_figures(run: Run, model: Model, test: Evaluation | None) -> Run:
    """Draw the learning curves and, where there was a test, the confusion matrix; the report.

    A report that cannot be made spoils no run: that and why is in the record then.

    Args:
        run: with its model on disk.
        model: the same.
        test: it judged on the test pictures, if there are any.

    Returns:
        The run, with what became of its report.
    """
    from convolens.plotting import plot_confusion_matrix, save_figure
    from convolens.training.report import write_report

    figures = run.path / "figures"
    save_figure(run.plot_learning_curves(), figures / "learning_curves.png", dpi=150)
    if test is not None:
        names = tuple(entry.name for entry in test.per_class)
        matrix = plot_confusion_matrix(test.confusion_matrix, names)
        save_figure(matrix, figures / "confusion_matrix.png", dpi=150)
    try:
        write_report(run, test, model=model)
    except OSError:  # a full disk is said for the whole run
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, the model is trained
        return replace(
            run, record={**run.record, "report_error": f"{type(error).__name__}: {error}"}
        )
    return run
