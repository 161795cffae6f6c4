"""Whether pictures of nothing that a model knows are flagged, and whether a named risk is kept.

    python benchmarks/unknown.py [--model RUN]... [--other FOLDER] [--seed 0]

A ``fast`` model of Fashion-MNIST (trained here with ``--seed`` where no run is named) meets the
test pictures, scikit-learn's digits enlarged by its own preprocessing (white on black as they are,
and inverted), noise, constant grey, and the photographs in ``--other``. For each score: the share
that is flagged by the threshold that keeps 95 % of the validation pictures, the area under the ROC
curve against the test pictures, and the share that is not flagged where 95 % of the test pictures
are not ("FPR at 95 % TPR").

The score and its settings are chosen by validation pictures made strange, which are not among
those reported: all pixels shuffled, and sixteen tiles shuffled. Both lists are in the result.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

import convolens as cl
from convolens.bundle import Model
from convolens.data import Dataset
from convolens.doubt import NEAREST, neighbourhood
from convolens.evaluation import (
    choose_neighbours,
    energy,
    fit_neighbours,
    fit_thresholds,
    fit_unknown,
    max_logit,
    pick_threshold,
)
from convolens.images import fit_image
from convolens.prediction import Outputs, to_probabilities
from machine import write_result

N = 2000  # pictures of each kind that is made
RISKS = (0.005, 0.01, 0.02, 0.05)
SIZES, NEARESTS = (250, 500, 1000, 2000, 5000), (1, 3, 5, 10)
Score = Callable[[Outputs], NDArray[np.floating[Any]]]
Pictures = dict[str, NDArray[np.uint8]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", action="append", default=[], type=Path)
    parser.add_argument("--other", type=Path, help="a folder of photographs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry", action="store_true", help="write no result")
    given = parser.parse_args()

    data = cl.load_data("fashion-mnist")
    results = []
    for seed, model in models(given.model, data, given.seed):
        results.append({"seed": seed, **measure(model, data, given.other)})
        print(table(results[-1]))
    if not given.dry:
        write_result("unknown", {"nearest": NEAREST, "models": results})


def models(runs: list[Path], data: Dataset, seed: int) -> list[tuple[int, Model]]:
    """With the seed of each."""
    if runs:
        return [
            (json.loads((run / "run.json").read_text())["seed"], cl.load_model(run)) for run in runs
        ]
    with tempfile.TemporaryDirectory() as folder:
        return [(seed, cl.train(data, "fast", seed=seed, path=folder, progress=False).model())]


def measure(model: Model, data: Dataset, other: Path | None) -> dict[str, Any]:
    """Everything about one model."""
    validation, test = model.outputs(data.validation.images), model.outputs(data.test.images)
    named = scores(model, validation)
    rng = np.random.default_rng(0)
    chosen_by = {k: model.outputs(v) for k, v in strange(data.validation.images, rng).items()}
    met = {k: model.outputs(v) for k, v in unfamiliar(model, other, rng).items()}
    thresholds = {name: threshold(name, score, validation) for name, score in named.items()}
    return {
        "recipe": model.recipe["name"],
        "val_accuracy": model.metrics["val_accuracy"],
        "temperature": model.temperature,
        "label_smoothing": model.recipe["label_smoothing"],
        "test_flagged": {
            name: share_below(score(test), thresholds[name]) for name, score in named.items()
        },
        "chosen_by": judged(named, thresholds, test, chosen_by),
        "neighbours_tried": tried(validation, chosen_by),
        "reported": judged(named, thresholds, test, met),
        "risks": risks(model, data, validation, test),
    }


def scores(model: Model, validation: Outputs) -> dict[str, Score]:
    known = validation.features[choose_neighbours(len(validation.features))]
    return {
        "energy": lambda outputs: energy(outputs.logits),
        "max_logit": lambda outputs: max_logit(outputs.logits),
        "softmax": lambda outputs: to_probabilities(outputs.logits).max(axis=1),
        "calibrated softmax": lambda outputs: to_probabilities(
            outputs.logits, model.temperature
        ).max(axis=1),
        "neighbours": lambda outputs: neighbourhood(outputs.features, known),
    }


def threshold(name: str, score: Score, validation: Outputs) -> float:
    """That which keeps 95 % of the validation pictures; a neighbour is judged by the others."""
    if name != "neighbours":
        return fit_unknown(score(validation)).threshold
    return fit_neighbours(
        validation.features[choose_neighbours(len(validation.features))]
    ).threshold


def strange(images: NDArray[np.uint8], rng: np.random.Generator) -> Pictures:
    """Validation pictures with their pixels shuffled, and cut into 4 x 4 tiles that are."""
    some = images[:N]
    n, height, width, channels = some.shape
    pixels = rng.permuted(some.reshape(n, -1), axis=1).reshape(some.shape)
    cut = some.reshape(n, 4, height // 4, 4, width // 4, channels).swapaxes(2, 3)
    tiles = cut.reshape(n, 16, height // 4, width // 4, channels)
    mixed = np.stack([each[rng.permutation(16)] for each in tiles]).reshape(cut.shape)
    return {"pixels shuffled": pixels, "tiles shuffled": mixed.swapaxes(2, 3).reshape(some.shape)}


def unfamiliar(model: Model, other: Path | None, rng: np.random.Generator) -> Pictures:
    """Pictures of no class, in the model's shape."""

    def fitted(pictures: Any) -> NDArray[np.uint8]:
        policy = model.preprocessing.fit
        return np.stack([fit_image(each, *model.input_shape, policy=policy) for each in pictures])

    splits = cl.load_data("digits").splits.values()
    digits = fitted(np.concatenate([split.images for split in splits]))
    shape = (N, *model.input_shape)
    made = {
        "digits": digits,
        "digits, inverted": 255 - digits,
        "uniform noise": rng.integers(0, 256, shape, dtype=np.uint8),
        "Gaussian noise": np.clip(rng.normal(127, 64, shape), 0, 255).astype(np.uint8),
        "constant grey": np.broadcast_to(
            np.arange(256, dtype=np.uint8)[:, None, None, None], (256, *model.input_shape)
        ).copy(),
    }
    if other is not None:
        files = sorted(path for path in other.rglob("*") if path.suffix.lower() in (".jpg", ".png"))
        made["photographs"] = fitted(files)
    return made


def judged(
    named: dict[str, Score], thresholds: dict[str, float], test: Outputs, met: dict[str, Outputs]
) -> list[dict[str, Any]]:
    """For every kind of picture how well each score tells it from the test pictures."""
    rows = []
    for kind, outputs in met.items():
        row: dict[str, Any] = {"pictures": kind, "n": len(outputs.logits)}
        for name, score in named.items():
            known, new = score(test), score(outputs)
            is_known = np.repeat([1, 0], [len(known), len(new)])
            row[name] = {
                "flagged": share_below(new, thresholds[name]),
                "auroc": round(float(roc_auc_score(is_known, np.append(known, new))), 4),
                "fpr95": round(1 - share_below(new, fit_unknown(known).threshold), 4),
            }
        rows.append(row)
    return rows


def tried(validation: Outputs, chosen_by: dict[str, Outputs]) -> list[dict[str, Any]]:
    """Share of the strange validation pictures that is flagged with other settings."""
    features, rows = validation.features, []
    for size in SIZES:
        known = features[np.arange(size) * len(features) // size]
        for nearest in NEARESTS:
            own = neighbourhood(known, known, nearest=nearest + 1)
            limit = fit_unknown(own).threshold
            flagged = {
                kind: share_below(neighbourhood(each.features, known, nearest=nearest), limit)
                for kind, each in chosen_by.items()
            }
            rows.append({"neighbours": size, "nearest": nearest, "flagged": flagged})
    return rows


def risks(
    model: Model, data: Dataset, validation: Outputs, test: Outputs
) -> list[dict[str, float]]:
    """What was asked for, and what came of it on the test pictures."""
    fitted = fit_thresholds(validation.logits, data.validation.labels, model.temperature)
    probabilities = to_probabilities(test.logits, model.temperature)
    wrong = probabilities.argmax(axis=1) != data.test.labels
    rows = []
    for risk in RISKS:
        picked = pick_threshold(fitted.risks, risk)
        answered = probabilities.max(axis=1) >= picked.threshold
        rows.append(
            {
                "risk": risk,
                "threshold": round(picked.threshold, 4),
                "coverage_validation": picked.coverage,
                "risk_validation": round(picked.seen_risk, 5),
                "coverage_test": round(float(answered.mean()), 4),
                "risk_test": round(float(wrong[answered].mean()), 5) if answered.any() else 0.0,
            }
        )
    return rows


def share_below(values: NDArray[np.floating[Any]], limit: float) -> float:
    return round(float((values < limit).mean()), 4)


def table(result: dict[str, Any]) -> str:
    """What was found, as Markdown: share flagged, AUROC, FPR at 95 % TPR."""
    names = list(result["test_flagged"])
    lines = [f"| pictures | n | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    for row in (*result["chosen_by"], *result["reported"]):
        cells = [
            f"{row[name]['flagged']:.1%}, {row[name]['auroc']:.3f}, {row[name]['fpr95']:.1%}"
            for name in names
        ]
        lines.append(f"| {row['pictures']} | {row['n']} | {' | '.join(cells)} |")
    flagged = " | ".join(f"{share:.1%}" for share in result["test_flagged"].values())
    lines.append(f"| the test pictures | | {flagged} |")
    lines += [str(row) for row in (*result["neighbours_tried"], *result["risks"])]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
