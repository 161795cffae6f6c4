"""The report that a run leaves: how good its model is, where it fails, and how it was trained."""

import shlex
from pathlib import Path
from typing import Any

from convolens.data import LabelledPictures, pictures_of
from convolens.evaluation import Evaluation
from convolens.reports import Judged, RunFacts, write_evaluation_page
from convolens.training.run import REPORT, Run


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
            said: results[name]
            for name, said in (
                ("epochs", "epochs"),
                ("best_epoch", "best epoch"),
                ("val_accuracy", "accuracy on validation pictures"),
                ("parameters", "trained parameters"),
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


def write_report(run: Run, test: Evaluation | None) -> Path:
    """Write ``report.html`` into a run's folder.

    Args:
        run: with its model on disk.
        test: the model judged on the test pictures; where there are none, the validation pictures
            are judged, by which it was chosen, and the page says so.

    Returns:
        The page.
    """
    from convolens.evaluation import evaluate

    model, data, page = run.model(), run.data(), run.path / REPORT
    split = "test" if test is not None else "validation"
    pictures: LabelledPictures = pictures_of(data, split)
    judged = Judged(
        model=model,
        evaluation=test if test is not None else evaluate(model, data, split=split),
        pictures=pictures,
        command=shlex.join(
            ("convolens", "evaluate", str(run.path), "--split", split, "--report", str(page))
        ),
        trained_on=0 if test is not None else len(pictures.split),
        run=run_facts(run),
    )
    return write_evaluation_page(page, judged)
