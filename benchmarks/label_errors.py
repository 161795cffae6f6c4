"""Planted wrong labels: how many are found, ours and cleanlab's on the same probabilities.

    python benchmarks/label_errors.py [--work DIR] [--seeds 0,2] [--folds 5] [--sample N]
                                      [--rounds 5] [--only-compare]

On the 60,000 official training pictures of Fashion-MNIST 5, 10 and 20 % of the labels are made
wrong: any other class, or the class that it is most confused with by models of the labels as
published. The recipe ``fast`` is cross-validated on each (2 to 10 minutes), and its probabilities
out of fold are kept in ``--work``: what is there is not trained again. Then ours and cleanlab's
``find_label_issues``, in an environment of its own (``label_errors_peer.py``), say which labels are
wrong: precision, recall and F1 of what is flagged, average precision of the ranking of all labels,
and seconds.

What counts as wrong is what was planted. Fashion-MNIST has wrong labels of its own, which count as
right: nobody's precision can be 1. The noise of seed 1 is what ways were chosen on.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from convolens.data.duplicates import duplicate_pairs
from convolens.evaluation import LabelErrors, find_label_errors
from environment import cleanlab_python
from label_errors_noise import choosing, out_of_fold, pictures, reported, similar_classes
from machine import write_result
from workers import spread

DEFAULT = "prune_by_noise_rate"
PEER = Path(__file__).with_name("label_errors_peer.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "label_errors")
    parser.add_argument("--seeds", default="0,2", help="of the noise, not 1, which was chosen on")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--sample", type=int, default=None, help="the first N pictures alone")
    parser.add_argument("--rounds", type=int, default=5, help="of timing")
    parser.add_argument("--only-compare", action="store_true", help="train nothing")
    parser.add_argument("--dry", action="store_true", help="write no result")
    given = parser.parse_args()

    given.work.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    similar = similar_classes(given.work, given.sample, given.folds)
    settings = [*choosing(), *reported([int(seed) for seed in given.seeds.split(",")])]
    if given.only_compare:
        settings = [each for each in settings if (given.work / f"{each.name}.npz").exists()]
    rows = []
    copies = duplicate_pairs(pictures(given.sample)[0])
    for setting in settings:
        kept = out_of_fold(given.work, setting, similar, given.sample, given.folds)
        rows.append({**vars(setting), **compared(kept, copies, given.work, given.rounds)})
        show(rows[-1])
    result = {
        "data": "fashion-mnist, official training pictures",
        "n": len(kept["labels"]),
        "folds": given.folds,
        "recipe": "fast",
        "similar": similar,
        "cleanlab": cleanlab_version(),
        "load_average_before": load,
        "chosen_on": [row for row in rows if row["seed"] == 1],
        "settings": [row for row in rows if row["seed"] != 1],
        "seconds": {
            side: spread([second for row in rows for second in row["seconds"][side]])
            for side in rows[0]["seconds"]
        },
    }
    print(table(result["settings"]))
    print(result["seconds"])
    if not given.dry:
        write_result("label_errors", result)


def compared(kept: dict[str, Any], copies: Any, work: Path, rounds: int) -> dict[str, Any]:
    """What each side flags, how it ranks, and how long it takes, on the same probabilities."""
    probabilities, labels = kept["probabilities"], kept["labels"]
    wrong = labels != kept["truth"]
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        found = find_label_errors(probabilities, labels)
        seconds.append(time.perf_counter() - start)
    flagged = {
        "ours": _flags(found, len(labels)),
        "ours with copies": _flags(
            find_label_errors(probabilities, labels, copies=copies), len(labels)
        ),
    }
    ranked = {"ours": -found.quality}
    source, target = work / "peer_in.npz", work / "peer_out.npz"
    np.savez(source, probabilities=probabilities, labels=labels)
    subprocess.run([cleanlab_python(), PEER, source, target, str(rounds)], check=True)
    with np.load(target) as theirs:
        for key in theirs:
            kind, _, name = key.partition(" ")
            if kind == "flags":
                flagged[f"cleanlab {name}"] = theirs[key]
            elif kind == "scores":
                ranked[f"cleanlab {name}"] = -theirs[key]
        noise = {"ours": found.noise, "cleanlab": 1 - float(np.trace(theirs["joint"]))}
        times = {
            "ours": seconds,
            "cleanlab, one process": theirs["seconds one"].tolist(),
            "cleanlab, as it is": theirs["seconds usual"].tolist(),
        }
    return {
        "wrong": int(wrong.sum()),
        "accuracy": float(kept["accuracy"]),
        "flagged": {name: judged(flags, wrong) for name, flags in flagged.items()},
        "average_precision": {
            name: round(float(average_precision_score(wrong, scores)), 4)
            for name, scores in ranked.items()
        },
        "noise": noise,
        "seconds": times,
    }


def _flags(found: LabelErrors, n: int) -> Any:
    flags = np.zeros(n, dtype=bool)
    flags[found.indices] = True
    return flags


def judged(flags: Any, wrong: Any) -> dict[str, Any]:
    """How many are flagged, and precision, recall and F1 of that."""
    hits = int((flags & wrong).sum())
    precision, recall = hits / max(1, int(flags.sum())), hits / max(1, int(wrong.sum()))
    return {
        "n": int(flags.sum()),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * hits / (int(flags.sum()) + int(wrong.sum())), 4),
    }


def cleanlab_version() -> dict[str, str]:
    """Of cleanlab and NumPy in that environment."""
    code = "from importlib.metadata import version as v; print(v('cleanlab'), v('numpy'))"
    answer = subprocess.run(
        [cleanlab_python(), "-c", code], check=True, capture_output=True, text=True
    )
    return dict(zip(("cleanlab", "numpy"), answer.stdout.split(), strict=True))


def show(row: dict[str, Any]) -> None:
    """One setting, as it is done."""
    print(
        f"{row['kind']} {row['rate']:.0%}, seed {row['seed']}: {row['wrong']:,} wrong", flush=True
    )
    for name, figures in row["flagged"].items():
        print(f"  {name}: {figures}")
    print(f"  average precision: {row['average_precision']}; noise: {row['noise']}", flush=True)


def table(rows: list[dict[str, Any]]) -> str:
    """Ours and cleanlab's default of all seeds, as Markdown; beside it the best of its ways."""
    heads = ("noise", "ours: precision, recall, F1", f"cleanlab, {DEFAULT}", "best F1 of its ways")
    heads += ("average precision, ours", "cleanlab, self_confidence", "best of its rankings")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for kind, rate in dict.fromkeys((row["kind"], row["rate"]) for row in rows):
        own = [row for row in rows if (row["kind"], row["rate"]) == (kind, rate)]

        def flagged(name: str, figure: str, own: list[dict[str, Any]] = own) -> float:
            return statistics.mean(row["flagged"][name][figure] for row in own)

        def ranked(name: str, own: list[dict[str, Any]] = own) -> float:
            return statistics.mean(row["average_precision"][name] for row in own)

        def three(name: str) -> str:
            return ", ".join(
                f"{flagged(name, figure):.3f}" for figure in ("precision", "recall", "f1")
            )

        ways = [name for name in own[0]["flagged"] if name.startswith("cleanlab")]
        rankings = [name for name in own[0]["average_precision"] if name.startswith("cleanlab")]
        way = max(ways, key=lambda name: flagged(name, "f1"))
        ranking = max(rankings, key=ranked)
        lines.append(
            f"| {kind}, {rate:.0%} | {three('ours')} | {three(f'cleanlab {DEFAULT}')} "
            f"| {flagged(way, 'f1'):.3f} ({way.removeprefix('cleanlab ')}) "
            f"| {ranked('ours'):.3f} | {ranked('cleanlab self_confidence'):.3f} "
            f"| {ranked(ranking):.3f} ({ranking.removeprefix('cleanlab ')}) |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
