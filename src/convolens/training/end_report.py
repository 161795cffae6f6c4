"""What a person wants to know when a run has ended: how good, where it is, what comes next."""

import io
import shlex
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from convolens.evaluation import wilson_interval
from convolens.training.ending import resume_command
from convolens.training.progress_words import duration
from convolens.training.run import METRICS, REPORT, Run

_CURVES = "figures/learning_curves.png"
_WEIGHTS = "model/weights.safetensors"
_BOARDS = "tensorboard"
_NARROWEST = 60


def end_report(run: Run, width: int = 80, *, again: str | None = None) -> str:
    """The result as a short table, where everything is, and the commands that make sense next.

    Paths and commands stand on lines of their own and are never broken, so that they can be copied
    whatever the width; all else fits it.

    Args:
        run: a run that has ended; an interrupted one has a command that goes on with it.
        width: columns; 60 are enough, and fewer are taken for 60.
        again: a command that does the same with several seeds; "" for none, None for what the
            run's record says.

    Returns:
        Plain text without a line end at its end.

    >>> from pathlib import Path
    >>> results = {"data": "digits", "recipe": "fast", "seed": 0, "test_accuracy": 0.95}
    >>> data = {"counts": {"test": 360}}
    >>> record = {"status": "completed", "results": results, "data": data}
    >>> print(end_report(Run(path=Path("runs/a"), record=record)))
    digits, recipe fast, seed 0: completed
    <BLANKLINE>
           pictures   accuracy      95 % interval
    test        360     95.00%   92.24% to 96.81%
    ...
    """
    parts = [_headline(run), _accuracies(run), _facts(run)]
    width = max(_NARROWEST, width)
    drawn = "\n\n".join(_text(part, width) for part in parts if part is not None)
    return "\n".join([drawn, *_places(run), "", "next:", *_commands(run, again)])


def next_commands(run: Run, again: str | None = None) -> list[tuple[str, str]]:
    """Commands that make sense after a run, each with what it is for.

    Args:
        run: a run that has ended.
        again: as for :func:`end_report`. What the record says is left out where it is not enough.

    >>> from pathlib import Path
    >>> record = {"status": "completed", "results": {}, "data": {"counts": {"test": 9}}}
    >>> next_commands(Run(path=Path("runs/a"), record=record))[0]
    ('convolens evaluate runs/a', 'where it is wrong, class by class')
    """
    path = shlex.quote(str(run.path))
    again = _train_command(run) if again is None else again
    commands: list[tuple[str, str]] = []
    if run.status == "interrupted":
        commands.append((resume_command(run.path), "go on where it was stopped"))
    judged = "" if "test" in _counts(run) else " --split validation"
    commands.append((f"convolens evaluate {path}{judged}", "where it is wrong, class by class"))
    commands.append((f"convolens predict {path} picture.png", "the class of a picture"))
    if run.status == "completed" and again:
        commands.append((again, "how much of it is luck"))
    commands.append((f"convolens explain {path} picture.png", "what it looks at there"))
    if (run.path / _BOARDS).is_dir():
        boards = shlex.quote(str(run.path / _BOARDS))
        commands.append((f"tensorboard --logdir {boards}", "the curves in a browser"))
    return commands


def _headline(run: Run) -> Text:
    results = run.results
    return Text(
        f"{results.get('data')}, recipe {results.get('recipe')}, seed {results.get('seed')}: "
        f"{run.status}"
    )


def _accuracies(run: Run) -> Table | None:
    table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False)
    for name in ("", "pictures", "accuracy", "95 % interval"):
        table.add_column(name, justify="left" if not name else "right", no_wrap=True)
    best = _best_epoch(run)
    counts, results = _counts(run), run.results
    accuracies = {
        "training": ("train", best.get("train_accuracy")),
        "validation": ("validation", results.get("val_accuracy")),
        "test": ("test", results.get("test_accuracy")),
    }
    for name, (split, accuracy) in accuracies.items():
        if accuracy is None:
            continue
        n = counts.get(split, 0)
        # No interval on the pictures that it learnt from: they are no sample of others.
        interval = _interval(accuracy, n) if n and name != "training" else ""
        table.add_row(name, f"{n:,}" if n else "", f"{accuracy:.2%}", interval)
    return table if table.row_count else None


def _facts(run: Run) -> Table:
    results = run.results
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    best = results.get("best_epoch")
    trained = results.get("train_seconds")
    speed = results.get("images_per_second")
    if (epochs := results.get("epochs")) is not None:
        table.add_row("epochs", f"{epochs:g}, best {best}" if best is not None else f"{epochs:g}")
    if trained is not None:
        total = results.get("total_seconds")
        whole = "" if total is None else f", {_short(total)} with judging"
        table.add_row("time", f"{_short(trained)} of training{whole}")
    if speed is not None:
        table.add_row("speed", f"{speed:,.0f} images/s")
    table.add_row("model", _size(run))
    return table


def _places(run: Run) -> list[str]:
    lines = ["", f"run: {run.path}"]
    for what, name in (("curves", _CURVES), ("report", REPORT)):
        if (run.path / name).is_file():
            lines.append(f"{what}: {run.path / name}")
    if reason := run.record.get("report_error"):
        lines.append(f"report: it could not be made ({reason})")
    return lines


def _commands(run: Run, again: str | None) -> list[str]:
    return [
        line
        for command, why in next_commands(run, again)
        for line in (f"  # {why}", f"  {command}")
    ]


def _train_command(run: Run) -> str:
    """The command that trains with several seeds, or "" where it needs further options."""
    data = run.record["data"]
    if "source" not in data or data.get("options"):
        return ""
    words = ["convolens", "train", str(data["source"])]
    recipe, model = str(run.results.get("recipe", "fast")), ""
    architecture = run.record.get("recipe", {}).get("architecture", "")
    if architecture and recipe.endswith(f"-{architecture}"):  # put under another recipe
        recipe, model = recipe.removesuffix(f"-{architecture}"), architecture
    words += ["--recipe", recipe] if recipe != "fast" else []
    words += ["--model", model] if model else []
    return shlex.join([*words, "--seeds", "3"])


def _best_epoch(run: Run) -> Mapping[str, Any]:
    best = run.results.get("best_epoch")
    history = run.history if (run.path / METRICS).is_file() else []
    return next((entry for entry in reversed(history) if entry["epoch"] == best), {})


def _counts(run: Run) -> Mapping[str, int]:
    return run.record["data"].get("counts", {})


def _interval(accuracy: float, n: int) -> str:
    low, high = wilson_interval(round(accuracy * n), n)
    return f"{low:.2%} to {high:.2%}"


def _size(run: Run) -> str:
    parts: list[str] = []
    if (parameters := run.results.get("parameters")) is not None:
        parts.append(f"{parameters:,} parameters")
    if (run.path / _WEIGHTS).is_file():
        parts.append(f"{(run.path / _WEIGHTS).stat().st_size / 1e6:,.2f} MB")
    return ", ".join(parts) or "none was kept"


def _short(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def _text(part: Table | Text, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(part)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())
