"""The same training with several seeds: how much of a result is chance."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convolens.config import check_whole, to_dict
from convolens.data import Dataset, DataSource
from convolens.data.corrections import corrections_said
from convolens.data.surveying import OnProgress, silent
from convolens.errors import ModelError
from convolens.experiments.bookkeeping import (
    Doing,
    check_dataset,
    describe_data,
    describe_division,
    do_jobs,
    first_entries,
)
from convolens.experiments.events import OnEvent, Say, Telling, tell_nobody
from convolens.experiments.folder import ExperimentFolder, open_folder, record_at
from convolens.experiments.jobs import Job, Outcome, RunOptions, Workbench
from convolens.experiments.material import read_material
from convolens.experiments.recipe_files import find_recipe
from convolens.experiments.results import SeveralRuns
from convolens.experiments.sharing import check_at_once, recorded_at_once, usual_at_once
from convolens.experiments.summaries import spread_over_seeds
from convolens.experiments.timing import EachTime, as_planned, plan_recipe
from convolens.extras import require
from convolens.files import read_json
from convolens.recipes.budgets import choose_budget, refuse_both
from convolens.training import Recipe
from convolens.training.budget import Budget
from convolens.training.cadence import EVERY, CheckpointEvery

RECORD = "seeds.json"
_KEPT = ("seed", "epochs", "best_epoch", "val_accuracy", "test_accuracy", "train_seconds")


@dataclass(frozen=True, eq=False, kw_only=True)
class Repeats(SeveralRuns):
    """Runs that differ in their seed alone, in one folder with ``seeds.json``."""

    def to_dict(self) -> dict[str, Any]:
        """What ``convolens train --seeds N --json`` prints.

        ``run`` (the folder), ``data``, ``recipe``, ``status``, ``seeds`` (how many were asked
        for), ``val_accuracy`` and ``test_accuracy`` (each with mean, deviation, low, high and
        method; null before two runs have ended, and where there is no test part),
        ``train_seconds`` and ``total_seconds`` (sums over the finished runs), and ``runs``: for
        each seed its run's folder (run), seed, epochs, best_epoch, val_accuracy, test_accuracy,
        train_seconds and total_seconds.
        """
        record = self.record
        return {
            "run": str(self.path),
            "data": record["data"]["name"],
            "recipe": record["settings"]["recipe"]["name"],
            "status": record["status"],
            "seeds": len(record["settings"]["seeds"]),
            **record["summary"],
            "runs": record["runs"],
        }

    def __str__(self) -> str:
        """A line a seed and the mean, for a terminal."""
        lines = [
            f"seed {entry['seed']}: {entry['val_accuracy']:.2%} on validation"
            + (f", {entry['test_accuracy']:.2%} on test" if _tested(entry) else "")
            for entry in self.record["runs"]
        ]
        for name in ("val_accuracy", "test_accuracy"):
            spread = self.record["summary"].get(name)
            if spread and spread["deviation"] is not None:
                lines.append(
                    f"{name.replace('val_', 'validation ').replace('test_', 'test ')}: mean "
                    f"{spread['mean']:.2%}, deviation {spread['deviation']:.2%}, interval "
                    f"{spread['low']:.2%} to {spread['high']:.2%} ({spread['method']})"
                )
        return "\n".join([*lines, f"run: {self.path}"])


def repeat_training(
    data: Dataset | DataSource = "digits",
    recipe: Recipe | str = "fast",
    *,
    seeds: int = 5,
    seed: int = 0,
    epochs: float | None = None,
    budget: str | float | Budget | None = None,
    path: str | Path | None = None,
    at_once: int | None = None,
    resume: bool = False,
    max_bad: float = 0.01,
    checkpoint_every: CheckpointEvery = EVERY,
    tensorboard: bool = False,
    say: Say = tell_nobody,
    on_event: OnEvent = tell_nobody,
    on_progress: OnProgress = silent,
    **options: Any,
) -> Repeats:
    """Train several times, with another seed each, and say how far the results lie apart.

    The same call on the same folder goes on where it was stopped: finished runs are checked and
    kept, the others trained; the result is the same to the bit as if it had not been stopped.

    Args:
        data: a data set, or what :func:`convolens.data.load_data` takes.
        recipe: a recipe, the name of one, or a ``.json`` file.
        seeds: how many runs, from 1.
        seed: of the first; the others follow it.
        epochs: instead of the recipe's.
        budget: a time for each run in place of epochs, such as "60s". What follows from it in the
            recipe is decided once for all of them and recorded, so that they differ in their seed
            alone; how many steps it is enough for depends on the clock, so such runs are not the
            same to the bit.
        path: folder; by default ``runs/<data>-<recipe>-seeds-<n>``.
        at_once: runs at a time, each in a process of its own if more than one. None: as it was
            begun; else one a core, up to four, where there is much to do, no budget and no GPU.
        resume: whether there has to be something to go on with at ``path``.
        max_bad: the share of bad files above which nothing is trained.
        checkpoint_every: as for :func:`convolens.train`; a run that was killed goes on from its
            last checkpoint.
        tensorboard: write files for TensorBoard, too, in the folder of each run.
        say: called with a line from time to time.
        on_event: called with every event of each run, and when one begins or ends; with several
            at a time, those of a run come in a ``RunTold``, which says whose they are.
        on_progress: as for ``load_data``.
        **options: of ``load_data``; the seed of the division is called ``split_seed``.

    Returns:
        All results, with their spread.

    Raises:
        ConfigError: a number outside its range, or both epochs and a budget; the folder is in use,
            or another experiment's.
        ExtraMissing: TensorBoard is asked for and not installed.
        DataError: as ``load_data``.

    >>> import tempfile
    >>> done = repeat_training("digits", seeds=2, epochs=0.1, path=tempfile.mkdtemp())
    >>> [run.record["seed"] for run in done.runs]
    [0, 1]
    """
    check_whole("seeds", seeds, 1, 10_000)
    check_whole("seed", seed, 0, 2**63 - 1)
    check_at_once(at_once)
    refuse_both(epochs, budget, "epochs", "budget")
    limit = choose_budget(budget)
    if tensorboard:
        require("tensorboard", extra="tensorboard")
    chosen = find_recipe(recipe, epochs=epochs)
    # Each run is to find its data again by the options of ``load_data``.
    material = read_material(data, on_progress=on_progress, sample_first=False, **options)
    for line in corrections_said(material.pool.problems):
        say(line)
    dataset = material.part().dataset
    problems = check_dataset(dataset, max_bad)
    known = record_at(path, RECORD)
    settings: dict[str, Any] = {
        "recipe": to_dict(chosen),
        "seeds": list(range(seed, seed + seeds)),
        "budget_seconds": limit and limit.seconds,
        "division": describe_division(material),
        "at_once": at_once
        or recorded_at_once(known)
        or usual_at_once(seeds, dataset, chosen, timed=limit is not None),
    }
    telling = Telling(say=say, on_event=on_event)
    plan = None
    if limit is not None and not known:
        share = Budget.from_now(limit.seconds)
        plan = plan_recipe(dataset, chosen, seed, share, at_once=settings["at_once"])
        say(f"each of {seeds} runs: {plan}")
    how = RunOptions(checkpoint_every=checkpoint_every, tensorboard=tensorboard)
    kind = f"{chosen.name}-seeds"
    with open_folder(path, RECORD, kind=kind, data=dataset.name, resume=resume) as folder:
        first = first_entries(describe_data(material), plan)
        folder.begin(settings, material.fingerprint, **first)
        with folder.status_of_failure():
            asked = as_planned(folder.record, chosen)
            bench = Workbench(material, asked, folder.path, problems, how)
            _repeat(folder, bench, telling, limit)
        return Repeats(path=folder.path, record=folder.record)


def load_repeats(path: str | Path) -> Repeats:
    """Open the folder of repeated trainings.

    Raises:
        ModelError: it is none, or its record is damaged.
    """
    record = read_json(Path(path) / RECORD, error=ModelError)
    missing = {"settings", "data", "status", "runs", "summary"} - record.keys()
    if missing:
        raise ModelError(f"{Path(path) / RECORD} lacks {', '.join(sorted(missing))}")
    return Repeats(path=Path(path), record=record)


def _repeat(
    folder: ExperimentFolder, bench: Workbench, telling: Telling, limit: Budget | None
) -> None:
    settings = folder.record["settings"]
    jobs = [
        Job(name=f"seed {seed}", folder=f"seed-{seed}", seed=seed) for seed in settings["seeds"]
    ]
    doing = Doing(
        at_once=settings["at_once"],
        telling=telling,
        describe=_entry,
        time=None if limit is None else EachTime(seconds=limit.seconds),
    )
    entries = do_jobs(folder, bench, jobs, doing)
    status = "completed" if len(entries) == len(jobs) else "interrupted"
    folder.write(runs=entries, summary=_summary(entries), status=status)


def _entry(job: Job, outcome: Outcome) -> dict[str, Any]:
    kept = {name: outcome.results[name] for name in _KEPT}
    return {"run": job.folder, **kept, "total_seconds": outcome.results["total_seconds"]}


def _summary(entries: list[dict[str, Any]]) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    for name in ("val_accuracy", "test_accuracy"):
        values = [entry[name] for entry in entries if entry[name] is not None]
        summary[name] = spread_over_seeds(values).to_dict() if values else None
    for name in ("train_seconds", "total_seconds"):
        summary[name] = sum(entry[name] for entry in entries)
    return summary


def _tested(entry: dict[str, Any]) -> bool:
    return entry["test_accuracy"] is not None
