"""Cross-validation: every picture is predicted by a model that never saw it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convolens.config import check_whole, to_dict
from convolens.data import Dataset, DataSource
from convolens.data.surveying import OnProgress, silent
from convolens.errors import ConfigError, DataError
from convolens.evaluation import Evaluation, evaluate_probabilities
from convolens.experiments.bookkeeping import (
    Say,
    check_at_once,
    check_dataset,
    chosen_at_once,
    describe_data,
    do_jobs,
)
from convolens.experiments.fold_summary import summarise_folds
from convolens.experiments.folder import ExperimentFolder, open_folder
from convolens.experiments.jobs import Job, Outcome, RunOptions, Workbench, division_of
from convolens.experiments.material import Material, read_material
from convolens.experiments.out_of_fold import OutOfFold, collect, load_out_of_fold
from convolens.experiments.recipe_files import find_recipe
from convolens.training import Recipe, Run, load_run
from convolens.training.cadence import EVERY, CheckpointEvery

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RECORD = "cv.json"
PICTURE = "cv.png"


@dataclass(frozen=True, eq=False, kw_only=True)
class CrossValidation:
    """A cross-validation in its folder."""

    path: Path
    """The folder."""
    record: Mapping[str, Any] = field(repr=False)
    """What ``cv.json`` holds: settings, data, status, one entry a fold, summary."""

    @property
    def status(self) -> str:
        """How it ended: "completed" or "interrupted"."""
        return self.record["status"]

    @property
    def accuracy(self) -> float:
        """Mean over the folds; ``record["summary"]`` has its interval and how it was made."""
        return self.record["summary"]["accuracy"]

    @property
    def runs(self) -> list[Run]:
        """The run of each finished fold."""
        return [load_run(self.path / entry["run"]) for entry in self.record["runs"]]

    def out_of_fold(self) -> OutOfFold:
        """The probabilities of every picture, by the model that never saw it.

        Raises:
            ModelError: it is not complete, or the file is damaged.
        """
        return load_out_of_fold(self.path)

    def evaluate(self, repeat: int = 1) -> Evaluation:
        """All figures of the out-of-fold predictions of one repeat, from 1."""
        kept = self.out_of_fold()
        check_whole("repeat", repeat, 1, len(kept.probabilities))
        return evaluate_probabilities(kept.probabilities[repeat - 1], kept.labels, kept.class_names)

    def plot(self) -> "Figure":
        """The accuracy of every fold, their mean and its interval.

        Raises:
            ConfigError: it is not complete.
        """
        from convolens.plotting import plot_folds

        if self.status != "completed":
            raise ConfigError(f"{self.path} is not complete; the picture is drawn of all folds")
        summary = self.record["summary"]
        interval = (summary["accuracy_low"], summary["accuracy_high"])
        return plot_folds(
            [entry["accuracy"] for entry in self.record["runs"]],
            interval,
            folds=self.record["settings"]["folds"],
        )

    def to_dict(self) -> dict[str, Any]:
        """What ``convolens cv --json`` prints; its keys are explained there."""
        record = self.record
        settings = record["settings"]
        return {
            "run": str(self.path),
            "data": record["data"]["name"],
            "recipe": settings["recipe"]["name"],
            "status": record["status"],
            "folds": settings["folds"],
            "repeats": settings["repeats"],
            "seed": settings["seed"],
            **record["summary"],
            "per_fold": record["runs"],
        }


def cross_validate(
    data: Dataset | DataSource = "digits",
    recipe: Recipe | str = "fast",
    *,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    epochs: float | None = None,
    path: str | Path | None = None,
    at_once: int | None = None,
    resume: bool = False,
    max_bad: float = 0.01,
    checkpoint_every: CheckpointEvery = EVERY,
    groups: Any = None,
    say: Say = lambda _: None,
    on_progress: OnProgress = silent,
    **options: Any,
) -> CrossValidation:
    """Train one model a fold, and judge each on the pictures that it was not trained on.

    The pictures are divided as by ``load_data(data, folds=folds, fold=k)``: every class in
    proportion, groups and copies together, a given test part left alone. Of what a fold leaves a
    part is validation (a tenth, at most 5,000), on which the fold's epoch is chosen; preprocessing
    is fitted on the rest. Nothing of a fold's test pictures reaches its model.

    The same call on the same folder goes on where it was stopped: finished folds are checked and
    kept, the others trained; the result is the same to the bit as if it had not been stopped.

    Args:
        data: what :func:`convolens.data.load_data` takes; or a data set, of which the training and
            validation part are divided anew.
        recipe: a recipe, the name of one, or a ``.json`` file.
        folds: parts to divide into, from 2 to the pictures of the rarest class.
        repeats: how often all of it is done, each time with another division.
        seed: of the first fold's initial weights, order and augmentation; each run after it takes
            the next one. The division has its own: ``seed`` of ``load_data`` is ``split_seed`` on
            the command line, and each repeat takes the next one.
        epochs: instead of the recipe's.
        path: folder; by default ``runs/<data>-cv-<n>``.
        at_once: folds at a time, each in a process of its own if more than one. None: as it was
            begun, or one after the other.
        resume: whether there has to be something to go on with at ``path``.
        max_bad: the share of bad files above which nothing is trained.
        checkpoint_every: as for :func:`convolens.train`; a fold that was killed goes on from its
            last checkpoint.
        groups: of arrays, as for ``load_data``.
        say: called with a line from time to time.
        on_progress: as for ``load_data``.
        **options: of ``load_data``; those of the division with ``split_seed`` for ``seed``.

    Returns:
        All results. After Ctrl-C its status is "interrupted".

    Raises:
        ConfigError: a number outside its range; more folds than a class has pictures; the folder
            is in use, or holds something else.
        DataError: as ``load_data``; or a fold that leaves no picture of a class to train on.

    >>> import tempfile
    >>> done = cross_validate("digits", folds=2, epochs=0.2, path=tempfile.mkdtemp())
    >>> done.out_of_fold().probabilities.shape
    (1, 1797, 10)
    """
    check_whole("folds", folds, 2, 10_000)
    check_whole("repeats", repeats, 1, 10_000)
    check_whole("seed", seed, 0, 2**63 - 1)
    check_at_once(at_once)
    chosen = find_recipe(recipe)
    if epochs is not None:
        chosen = replace(chosen, epochs=epochs)
    for name in ("folds", "fold", "test_size", "split_file"):
        if options.get(name) is not None:
            raise ConfigError(
                f"{name} and a cross-validation both say what the test part is; leave {name} out"
            )
    if "split_seed" in options:
        options["seed"] = options.pop("split_seed")
    material = read_material(data, groups=groups, on_progress=on_progress, **options)
    _refuse_rare_classes(material, folds)
    jobs = fold_jobs(material, folds, repeats, seed)
    _refuse_missing_classes(material, jobs)
    problems = check_dataset(material.part(division_of(jobs[0])).dataset, max_bad)
    with open_folder(path, RECORD, kind="cv", data=material.pool.name, resume=resume) as folder:
        at_once = chosen_at_once(folder, at_once)
        settings = {
            "recipe": to_dict(chosen),
            "folds": folds,
            "repeats": repeats,
            "seed": seed,
            "division": material.splitting.options(),
            "at_once": at_once,
        }
        described = {**describe_data(material), "n": len(material.candidates)}
        folder.begin(settings, material.fingerprint, data=described, runs=[], summary={})
        with folder.status_of_failure():
            how = RunOptions(checkpoint_every=checkpoint_every)
            bench = Workbench(material, chosen, folder.path, problems, how)
            _run(folder, bench, jobs, at_once, say)
        done = CrossValidation(path=folder.path, record=folder.record)
        if done.status == "completed":
            from convolens.plotting import save_figure

            save_figure(done.plot(), folder.path / PICTURE, dpi=150)
    return done


def load_cross_validation(path: str | Path) -> CrossValidation:
    """Open the folder of a cross-validation.

    Raises:
        ModelError: it is none, or its record is damaged.
    """
    from convolens.errors import ModelError
    from convolens.files import read_json

    record = read_json(Path(path) / RECORD, error=ModelError)
    missing = {"settings", "data", "status", "runs", "summary"} - record.keys()
    if missing:
        raise ModelError(f"{Path(path) / RECORD} lacks {', '.join(sorted(missing))}")
    return CrossValidation(path=Path(path), record=record)


def fold_jobs(material: Material, folds: int, repeats: int, seed: int) -> list[Job]:
    """One job for each fold of each repeat."""
    jobs: list[Job] = []
    for repeat in range(repeats):
        for fold in range(folds):
            splitting = replace(
                material.splitting,
                folds=folds,
                fold=fold,
                seed=(material.splitting.seed + repeat) % 2**64,
            )
            words = f"fold {fold + 1} of {folds}"
            folder = f"fold-{fold + 1}-of-{folds}"
            if repeats > 1:
                words = f"repeat {repeat + 1}, {words}"
                folder = f"repeat-{repeat + 1}/fold-{fold + 1}"
            jobs.append(
                Job(
                    name=words,
                    folder=folder,
                    seed=seed + len(jobs),
                    splitting=splitting.options(),
                    keeps_predictions=True,
                )
            )
    return jobs


def _run(
    folder: ExperimentFolder, bench: Workbench, jobs: list[Job], at_once: int, say: Say
) -> None:
    folds = folder.record["settings"]["folds"]

    def describe(job: Job, outcome: Outcome) -> dict[str, Any]:
        repeat, fold = divmod(jobs.index(job), folds)
        return _entry(job, outcome, repeat + 1, fold + 1)

    done = do_jobs(folder, bench, jobs, at_once, say, describe)
    entries = [done[job.folder] for job in jobs if job.folder in done]
    if len(entries) < len(jobs):
        folder.write(runs=entries, status="interrupted")
        return
    predictions = collect(folder.path, bench, jobs, folds)
    summary = summarise_folds(entries, predictions, grouped=bench.material.grouped)
    folder.write(runs=entries, summary=summary, status="completed")


def _entry(job: Job, outcome: Outcome, repeat: int, fold: int) -> dict[str, Any]:
    results, counts = outcome.results, outcome.counts
    return {
        "repeat": repeat,
        "fold": fold,
        "run": job.folder,
        "seed": job.seed,
        "n_train": counts["train"],
        "n_validation": counts["validation"],
        "n_test": counts["test"],
        "accuracy": results["test_accuracy"],
        "val_accuracy": results["val_accuracy"],
        "best_epoch": results["best_epoch"],
        "train_seconds": results["train_seconds"],
        "total_seconds": results["total_seconds"],
    }


def _refuse_rare_classes(material: Material, folds: int) -> None:
    """Every fold is to test every class, and to leave some of it to train on."""
    labels = material.pool.labels[material.candidates]
    counts = np.bincount(labels, minlength=len(material.pool.class_names))
    rarest = int(np.where(counts > 0, counts, len(labels) + 1).argmin())
    if counts[rarest] < folds:
        n = int(counts[rarest])
        name = material.pool.class_names[rarest]
        remedy = f"use at most {n} folds, or" if n > 1 else "add pictures of it, or"
        raise ConfigError(
            f"folds is {folds}, but the class {name!r} has {n} picture{'s' * (n != 1)}, so not "
            f"every fold could test it; {remedy} leave the class out"
        )


def _refuse_missing_classes(material: Material, jobs: list[Job]) -> None:
    """Groups and copies may put all pictures of a class into one fold."""
    if not material.grouped and not len(material.pairs):
        return
    classes = set(material.pool.labels[material.candidates].tolist())
    for job in jobs:
        missing = classes - material.trained_classes(division_of(job))
        if missing:
            names = ", ".join(material.pool.class_names[label] for label in sorted(missing))
            raise DataError(
                f"{job.name} leaves no picture of {names} to train on, because pictures of one "
                "group, or copies, stay together; use fewer folds, or more groups for this class"
            )
