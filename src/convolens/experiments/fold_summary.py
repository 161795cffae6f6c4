"""What all folds say together."""

from statistics import mean, stdev
from typing import Any

from convolens.evaluation import evaluate_probabilities, wilson_interval
from convolens.experiments.intervals import corrected_interval
from convolens.experiments.out_of_fold import OutOfFold
from convolens.experiments.summaries import FOLDS_METHOD, POOLED_METHOD


def summarise_folds(
    entries: list[dict[str, Any]], predictions: OutOfFold, *, grouped: bool
) -> dict[str, Any]:
    """Accuracy with its spread and two intervals, loss and calibration.

    Args:
        entries: one a fold, with "accuracy", "n_test", "n_train", "train_seconds" and
            "total_seconds".
        predictions: of every picture.
        grouped: whether pictures belong to groups. Those of one group are alike, so that fewer
            than n trials were made, and an interval that counts pictures would be too narrow.

    Returns:
        Plain JSON types, as documented in ``convolens cv --help``.
    """
    accuracies = [entry["accuracy"] for entry in entries]
    # Not 1 / (folds - 1): of the pictures outside a fold some are for validation.
    n_test, n_train = (sum(entry[name] for entry in entries) for name in ("n_test", "n_train"))
    low, high = corrected_interval(accuracies, n_test / n_train)
    judged = [
        evaluate_probabilities(probabilities, predictions.labels, predictions.class_names)
        for probabilities in predictions.probabilities
    ]
    pooled = mean(evaluation.accuracy for evaluation in judged)
    n = len(predictions.labels)
    pooled_low, pooled_high = wilson_interval(round(pooled * n), n)
    return {
        "n": n,
        "accuracy": mean(accuracies),
        "accuracy_deviation": stdev(accuracies),
        "accuracy_low": max(0.0, low),
        "accuracy_high": min(1.0, high),
        "interval": FOLDS_METHOD,
        "pooled_accuracy": pooled,
        "pooled_low": None if grouped else pooled_low,
        "pooled_high": None if grouped else pooled_high,
        "pooled_interval": None if grouped else POOLED_METHOD,
        "log_loss": mean(evaluation.log_loss for evaluation in judged),
        "ece": mean(evaluation.ece for evaluation in judged),
        "train_seconds": sum(entry["train_seconds"] for entry in entries),
        "total_seconds": sum(entry["total_seconds"] for entry in entries),
    }
