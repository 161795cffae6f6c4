"""The report that a run leaves: how good its model is, where it fails, and how it was trained."""

import shlex
from pathlib import Path
from typing import Any

from convolens.bundle import Model
from convolens.data import KNOWN_DATASETS, pictures_of
from convolens.evaluation import Evaluation, evaluate
from convolens.reports import Judged, RunFacts, check_page_place, write_evaluation_page
from convolens.training.run import REPORT, Run
from convolens.training.trained_on import count_seen


def run_facts(run: Run) -> RunFacts:
    """What a report tells of how a run was trained."""
    record, results = run.record, run.results
    machine = dict(record.get("machine", {}))
    versions = machine.pop("versions", {})
    data = record["data"]
    mined = record["recipe"].get("hardest_share", 1.0) < 1
    facts: dict[str, Any] = {
        "run": str(run.path),
        "recipe": record["recipe"]["name"],
        "seed": record["seed"],
        **{
            said: format(results[name], how)
            for name, said, how in (
                ("epochs", "epochs", "g"),
                ("best_epoch", "best epoch", "d"),
                ("val_accuracy", "accuracy on validation pictures", ".2%"),
                ("parameters", "trained parameters", ",d"),
            )
            if results.get(name) is not None
        },
    }
    if results.get("train_seconds") is not None:
        facts["training took"] = f"{results['train_seconds']:.1f} s"
        facts["pictures a second"] = f"{results['images_per_second']:,.0f}"
    facts |= {"precision": record.get("precision"), **machine}
    facts["versions"] = ", ".join(f"{name} {version}" for name, version in versions.items())
    counts = ", ".join(f"{n:,} {name}" for name, n in data.get("counts", {}).items())
    return RunFacts(
        settings=record["recipe"],
        facts={name: value for name, value in facts.items() if value is not None},
        data={
            "trained on": f"{data['name']}: {counts}",
            "from": data.get("source"),
            "pictures in it": f"{data.get('seen', 0):,}, of which {data.get('used', 0):,} are used",
            "fingerprint": data.get("fingerprint"),
            **({"read with": data["options"]} if data.get("options") else {}),
        },
        problems=data.get("problems", {}),
        history=run.history,
        steps=run.steps,
        note=run.curves_note,
        comparable=not mined,
    )


def write_report(
    run: Run,
    test: Evaluation | None = None,
    path: str | Path | None = None,
    *,
    model: Model | None = None,
) -> Path:
    """Write the report on a run's model.

    Args:
        run: with its model on disk.
        test: the model as it was judged on the test pictures; None judges it again. Where there are
            none, the validation pictures are judged, by which it was chosen, and the page says so.
        path: where to; by default ``report.html`` in the run's folder.
        model: the run's, where it is at hand; else it is opened.

    Returns:
        The page.
    """
    page = check_page_place(run.path / REPORT if path is None else path)
    data, model = run.data(), run.model() if model is None else model
    split = "validation" if data.test is None else "test"
    pictures = pictures_of(data, split)
    seen = count_seen(run.path, pictures.split)
    judged = Judged(
        model=model,
        evaluation=evaluate(model, data, split=split) if test is None else test,
        pictures=pictures,
        command=_command(run, split, page),
        trained_on=None if seen is None else seen.trained_on,
        chosen_by=0 if seen is None else seen.chosen_by,
        run=run_facts(run),
    )
    return write_evaluation_page(page, judged)


def _command(run: Run, split: str, page: Path) -> str:
    source = run.record["data"].get("source") or ""
    if source not in KNOWN_DATASETS and not Path(source).exists():
        return f"run.write_report({str(page)!r})  # in Python: the data were arrays in memory"
    words = ("convolens", "evaluate", str(run.path), "--split", split, "--report", str(page))
    return shlex.join(words)
