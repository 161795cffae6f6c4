"""Whether the rules of a recipe choose well: trained as ruled, and with one choice changed.

    python benchmarks/rules.py [--seeds 2] [--jobs 1] [--minutes M]
                               [--only data=hands-64,hands-96 --only "change=epochs x 2"]
    python benchmarks/rules.py --table

On every data set of ``rules_data.py``, for every change of ``rules_worker.py``. Only training and
validation pictures are used. Every result is added to a file at once, so that what was stopped
goes on where it was; what is there already is not trained again, and ``--fresh`` forgets it. Each
training has one thread, and its last weights are judged. The seconds are those of training and are
comparable only where nothing else used the machine.

The interval beside a change is for its difference in accuracy from the rules, over the same
validation pictures and seeds: 95 %, from the pictures that only one of the two judged rightly, half
a picture added to each of the four counts (A. Agresti and Y. Min, "Simple improved confidence
intervals for comparing matched proportions", 2005). It takes the trainings of different seeds for
independent of one another.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from convolens.evaluation import wilson_interval
from machine import ROOT, commit, write_result
from rules_data import NAMES
from rules_worker import CHANGES, work

DONE = ROOT / "runs" / "rules.jsonl"
RULED = "as ruled"
KEYS = ("recipe", "data", "change", "seed")
Z = statistics.NormalDist().inv_cdf(0.975)

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin nothing after")
    parser.add_argument("--only", action="append", default=[], help="data=A,B or change=A,B")
    parser.add_argument("--done", type=Path, default=DONE, help="file that results are added to")
    parser.add_argument("--fresh", action="store_true", help="begin that file anew")
    parser.add_argument("--table", action="store_true", help="train nothing, print the table")
    parser.add_argument("--dry", action="store_true", help="write no result")
    given = parser.parse_args()

    if given.fresh:
        given.done.unlink(missing_ok=True)
    if not given.table:
        wanted = chosen(parser, given.only)
        there = rows(given.done)
        train_all(given, [job for job in planned(given, wanted) if not _in(there, job)])
    done = [row for row in rows(given.done) if row["applies"] and row["recipe"] == given.recipe]
    print(table(done))
    if not given.table and not given.dry:
        runs = [{key: row[key] for key in row if key != "wrong"} for row in done]
        write_result("rules", {"recipe": given.recipe, "sets": summaries(done), "runs": runs})


def chosen(parser: argparse.ArgumentParser, only: list[str]) -> dict[str, list[str]]:
    """The data sets and the changes that were asked for."""
    allowed = {"data": list(NAMES), "change": list(CHANGES)}
    wanted = dict(allowed)
    for restriction in only:
        key, _, values = restriction.partition("=")
        if key not in allowed or not set(values.split(",")) <= set(allowed[key]):
            parser.error(f"--only {restriction!r}; allowed: {allowed}")
        wanted[key] = [name for name in allowed[key] if name in values.split(",")]
    return wanted


def planned(given: argparse.Namespace, wanted: dict[str, list[str]]) -> Iterator[Row]:
    """The jobs: a data set and a seed after the other, so that both are read once."""
    for data, seed, change in product(wanted["data"], range(given.seeds), wanted["change"]):
        yield {"recipe": given.recipe, "data": data, "change": change, "seed": seed}


def train_all(given: argparse.Namespace, jobs: list[Row]) -> None:
    """Train, some at once, and write each result when it is there."""
    end = time.monotonic() + 60 * given.minutes
    given.done.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(given.jobs, get_context("spawn")) as pool:
        waiting: set[Future[Row]] = set()
        left = list(reversed(jobs))
        while waiting or (left and time.monotonic() < end):
            while left and len(waiting) < given.jobs and time.monotonic() < end:
                waiting.add(pool.submit(work, left.pop()))
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                row = {**future.result(), "at_once": given.jobs, "commit": commit()}
                with given.done.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                if row["applies"]:
                    print(
                        f"{row['data']}, {row['change']}, seed {row['seed']}: "
                        f"{row['accuracy']:.2%} in {row['seconds']:.0f} s; {len(left)} left",
                        flush=True,
                    )


def rows(done: Path) -> list[Row]:
    """The results that are there; a last line that was cut short is no result."""
    if not done.exists():
        return []
    lines = done.read_text().splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
        done.write_text("".join(lines))
    return [json.loads(line) for line in lines]


def _in(done: list[Row], job: Row) -> bool:
    return any(all(row[key] == job[key] for key in KEYS) for row in done)


def summaries(done: list[Row]) -> list[Row]:
    """For every data set and change what its seeds gave, beside the rules on the same seeds."""
    found = []
    for data, change in product(NAMES, CHANGES):
        here = {row["seed"]: row for row in done if (row["data"], row["change"]) == (data, change)}
        if not here:
            continue
        ruled = {row["seed"]: row for row in done if (row["data"], row["change"]) == (data, RULED)}
        accuracies = [row["accuracy"] for row in here.values()]
        errors = sum(len(row["wrong"]) for row in here.values())
        n = sum(row["n_validation"] for row in here.values())
        pairs = [(ruled[seed], here[seed]) for seed in here if seed in ruled and change != RULED]
        found.append(
            {
                "data": data,
                "change": change,
                "seeds": len(here),
                "accuracy": statistics.mean(accuracies),
                "deviation": statistics.stdev(accuracies) if len(here) > 1 else None,
                "wilson": wilson_interval(n - errors, n),
                "difference": difference(pairs) if pairs else None,
                "loss": statistics.mean(row["loss"] for row in here.values()),
                "seconds": statistics.median(row["seconds"] for row in here.values()),
                "settings": next(iter(here.values()))["settings"],
            }
        )
    return found


def difference(pairs: list[tuple[Row, Row]]) -> tuple[float, float, float]:
    """Accuracy of the second of each pair less that of the first: (mean, low, high)."""
    n = sum(one["n_validation"] for one, _ in pairs)
    gained = sum(len({*one["wrong"]} - {*two["wrong"]}) for one, two in pairs)
    lost = sum(len({*two["wrong"]} - {*one["wrong"]}) for one, two in pairs)
    up, down, total = gained + 0.5, lost + 0.5, n + 2
    half = Z * (up + down - (up - down) ** 2 / total) ** 0.5 / total
    centre = (up - down) / total
    return (gained - lost) / n, centre - half, centre + half


def table(done: list[Row]) -> str:
    """What was found, as Markdown."""
    lines = [
        "| data | change | seeds | validation accuracy, % | against the rules, points | loss | s |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in summaries(done):
        low, high = (100 * bound for bound in each["wilson"])
        spread = "" if each["deviation"] is None else f" ± {100 * each['deviation']:.2f}"
        against = f"{low:.2f} to {high:.2f} in all"
        if each["difference"]:
            by, low, high = (100 * value for value in each["difference"])
            against = f"{by:+.2f} ({low:+.2f} to {high:+.2f})"
            if low > 0 or high < 0:
                against = f"**{against}**"
        settings = each["settings"]
        ruled = f" ({settings['epochs']:g} epochs of batches of {settings['batch_size']})"
        lines.append(
            f"| {each['data']} | {each['change']}{ruled if each['change'] == RULED else ''} "
            f"| {each['seeds']} | {100 * each['accuracy']:.2f}{spread} | {against} "
            f"| {each['loss']:.3f} | {each['seconds']:.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
