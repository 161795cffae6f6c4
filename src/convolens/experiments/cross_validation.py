"""Cross-validation: every picture is predicted by a model that never saw it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convolens.config import check_whole, to_dict
from convolens.data import Dataset, DataSource
from convolens.data.corrections import Corrections, corrections_said
from convolens.data.surveying import OnProgress, silent
from convolens.errors import ConfigError, ModelError
from convolens.evaluation import Evaluation, LabelErrors, evaluate_probabilities
from convolens.experiments.bookkeeping import (
    Doing,
    check_dataset,
    describe_data,
    describe_division,
    do_jobs,
    first_entries,
)
from convolens.experiments.events import OnEvent, Say, Telling, tell_nobody
from convolens.experiments.fold_summary import summarise_folds
from convolens.experiments.folder import ExperimentFolder, open_folder, record_at
from convolens.experiments.folding import fold_jobs, refuse_other_divisions
from convolens.experiments.jobs import Job, Outcome, RunOptions, Workbench, division_of
from convolens.experiments.label_errors import FILE as LABEL_ERRORS
from convolens.experiments.label_errors import (
    corrections_before,
    is_filled_in,
    suspected,
    write_list,
)
from convolens.experiments.material import Material, read_material
from convolens.experiments.out_of_fold import OutOfFold, collect, load_out_of_fold
from convolens.experiments.recipe_files import find_recipe
from convolens.experiments.results import SeveralRuns
from convolens.experiments.sharing import check_at_once, recorded_at_once, usual_at_once
from convolens.experiments.timing import (
    PlannedRecipe,
    WholeTime,
    as_planned,
    plan_recipe,
    recorded_plan,
)
from convolens.files import read_json
from convolens.recipes.budgets import choose_budget, refuse_both
from convolens.training import Recipe
from convolens.training.budget import Budget
from convolens.training.cadence import EVERY, CheckpointEvery
from convolens.training.recording import settled_for

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RECORD = "cv.json"
PICTURE = "cv.png"


@dataclass(frozen=True, eq=False, kw_only=True)
class CrossValidation(SeveralRuns):
    """A cross-validation in its folder, with ``cv.json``."""

    @property
    def accuracy(self) -> float:
        """Mean over the folds; ``record["summary"]`` has its interval and how it was made."""
        return self.record["summary"]["accuracy"]

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

    def label_errors(self) -> LabelErrors:
        """The labels that are suspected to be wrong, the most suspicious first.

        Its ``indices`` are those of the pictures in :meth:`out_of_fold`; with several repeats the
        mean of their probabilities counts.

        Raises:
            ModelError: it is not complete, or the file is damaged.
        """
        return suspected(self.out_of_fold())

    def write_label_errors(self, path: str | Path | None = None) -> Path:
        """Write the suspected labels as a list to be corrected, for ``load_data(corrections=...)``.

        Args:
            path: a CSV file; by default ``label_errors.csv`` in the folder, where the list was
                written when the cross-validation was complete.

        Returns:
            The file.

        Raises:
            ConfigError: there is a list that somebody filled in.
            DataError: the list of corrections that the data were read with is gone, or changed.
            ModelError: it is not complete, or its predictions are damaged.
        """
        kept = self.out_of_fold()
        before = corrections_before(self.record["data"].get("options", {}))
        path = Path(path or self.path / LABEL_ERRORS)
        write_list(path, kept, suspected(kept), before)
        return path

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
            **self._list(),
            "per_fold": record["runs"],
        }

    def _list(self) -> dict[str, str]:
        """Where the suspected labels are; folders of before have no such list."""
        known = "label_errors" in self.record["summary"]
        return {"label_errors_file": str(self.path / LABEL_ERRORS)} if known else {}


def cross_validate(
    data: Dataset | DataSource = "digits",
    recipe: Recipe | str = "fast",
    *,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    epochs: float | None = None,
    budget: str | float | Budget | None = None,
    path: str | Path | None = None,
    at_once: int | None = None,
    resume: bool = False,
    max_bad: float = 0.01,
    checkpoint_every: CheckpointEvery = EVERY,
    groups: Any = None,
    say: Say = tell_nobody,
    on_event: OnEvent = tell_nobody,
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
        budget: a time for all that this call does in place of epochs, such as "10m". Each fold gets
            its part of what is left when it begins. What follows from the time in the recipe is
            decided once for all folds and recorded; how many steps it is enough for depends on the
            clock, so such folds are not the same to the bit. A call that goes on gives each fold
            that is left as much time as was planned at first.
        path: folder; by default ``runs/<data>-cv-<n>``.
        at_once: folds at a time, each in a process of its own if more than one. None: as it was
            begun; else one a core, up to four, where there is much to do, no budget and no GPU.
        resume: whether there has to be something to go on with at ``path``.
        max_bad: the share of bad files above which nothing is trained.
        checkpoint_every: as for :func:`convolens.train`; a fold that was killed goes on from its
            last checkpoint.
        groups: of arrays, as for ``load_data``.
        say: called with a line from time to time.
        on_event: called with every event of each run, and when one begins or ends; with several
            folds at a time, those of a run come in a ``RunTold``, which says whose they are.
        on_progress: as for ``load_data``.
        **options: of ``load_data``; those of the division with ``split_seed`` for ``seed``.

    Returns:
        All results. After Ctrl-C its status is "interrupted". A complete one has in its folder
        ``label_errors.csv``, the labels that its models suspect, for a person to correct; give the
        corrected list back as ``corrections`` of ``load_data``.

    Raises:
        ConfigError: a number outside its range; both epochs and a budget, or one that is too short;
            more folds than a class has pictures; the folder is in use, or holds something else.
        DataError: as ``load_data``; or a fold that leaves no picture of a class to train on.

    >>> import tempfile
    >>> done = cross_validate("digits", folds=2, epochs=0.2, path=tempfile.mkdtemp())
    >>> done.out_of_fold().probabilities.shape
    (1, 1797, 10)
    """
    _check_numbers(folds, repeats, seed, at_once)
    refuse_both(epochs, budget, "epochs", "budget")
    limit = choose_budget(budget)
    chosen = find_recipe(recipe, epochs=epochs)
    refuse_other_divisions(options)
    material = read_material(data, groups=groups, on_progress=on_progress, **options)
    before = _corrections_before(material, say)
    jobs = fold_jobs(material, folds, repeats, seed)
    first_part = material.part(division_of(jobs[0])).dataset
    problems = check_dataset(first_part, max_bad)
    known = record_at(path, RECORD)
    settings: dict[str, Any] = {
        "recipe": to_dict(chosen),
        "folds": folds,
        "repeats": repeats,
        "seed": seed,
        "budget_seconds": limit and limit.seconds,
        "division": describe_division(material),
        "at_once": at_once
        or recorded_at_once(known)
        or usual_at_once(len(jobs), first_part, chosen, timed=limit is not None),
    }
    time = limit and WholeTime(limit, len(jobs), recorded_plan(known))
    plan = _plan(time, first_part, chosen, settings, say) if time and not known else None
    with open_folder(path, RECORD, kind="cv", data=material.pool.name, resume=resume) as folder:
        data_entry = {**describe_data(material), "n": len(material.candidates)}
        folder.begin(settings, material.fingerprint, **first_entries(data_entry, plan))
        with folder.status_of_failure():
            # Folds differ by a picture: each for itself could fall on another side of a rule.
            asked = settled_for(as_planned(folder.record, chosen), first_part)
            how = RunOptions(checkpoint_every=checkpoint_every)
            bench = Workbench(material, asked, folder.path, problems, how)
            _run(folder, bench, jobs, Telling(say=say, on_event=on_event), time, before)
        return _drawn(CrossValidation(path=folder.path, record=folder.record))


def load_cross_validation(path: str | Path) -> CrossValidation:
    """Open the folder of a cross-validation.

    Raises:
        ModelError: it is none, or its record is damaged.
    """
    record = read_json(Path(path) / RECORD, error=ModelError)
    missing = {"settings", "data", "status", "runs", "summary"} - record.keys()
    if missing:
        raise ModelError(f"{Path(path) / RECORD} lacks {', '.join(sorted(missing))}")
    return CrossValidation(path=Path(path), record=record)


def _check_numbers(folds: int, repeats: int, seed: int, at_once: int | None) -> None:
    check_whole("folds", folds, 2, 10_000)
    check_whole("repeats", repeats, 1, 10_000)
    check_whole("seed", seed, 0, 2**63 - 1)
    check_at_once(at_once)


def _corrections_before(material: Material, say: Say) -> Corrections | None:
    """What was corrected already, said; read before it can change: the folds may take hours."""
    for line in corrections_said(material.pool.problems):
        say(line)
    return corrections_before(material.options)


def _drawn(done: CrossValidation) -> CrossValidation:
    """The same, with its picture in its folder if it is complete."""
    if done.status == "completed":
        from convolens.plotting import save_figure

        save_figure(done.plot(), done.path / PICTURE, dpi=150)
    return done


def _plan(
    time: WholeTime, data: Dataset, recipe: Recipe, settings: Mapping[str, Any], say: Say
) -> PlannedRecipe:
    at_once = settings["at_once"]
    share = time.begin(time.jobs, at_once).first_share()
    plan = plan_recipe(data, recipe, settings["seed"], share, at_once=at_once)
    say(f"each of {time.jobs} folds: {plan}")
    return plan


def _run(
    folder: ExperimentFolder,
    bench: Workbench,
    jobs: list[Job],
    telling: Telling,
    time: WholeTime | None,
    before: Corrections | None,
) -> None:
    settings = folder.record["settings"]
    folds = settings["folds"]

    def describe(job: Job, outcome: Outcome) -> dict[str, Any]:
        repeat, fold = divmod(jobs.index(job), folds)
        return _entry(job, outcome, repeat + 1, fold + 1)

    doing = Doing(at_once=settings["at_once"], telling=telling, describe=describe, time=time)
    entries = do_jobs(folder, bench, jobs, doing)
    if len(entries) < len(jobs):
        folder.write(runs=entries, status="interrupted")
        return
    predictions = collect(folder.path, bench, jobs, folds)
    found = suspected(predictions)
    summary = {
        **summarise_folds(entries, predictions, grouped=bench.material.grouped),
        "label_errors": len(found.indices),
        "label_noise": found.noise,
    }
    if is_filled_in(file := folder.path / LABEL_ERRORS):
        telling.say(f"{file} has corrections in it and is left as it is")
    else:
        write_list(file, predictions, found, before)
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
