"""How good a model is: metrics of probabilities and labels, with intervals."""

from convolens.evaluation.evaluating import (
    Evaluation,
    evaluate,
    evaluate_pictures,
    evaluate_probabilities,
)
from convolens.evaluation.intervals import wilson_interval
from convolens.evaluation.metrics import (
    ClassMetrics,
    accuracy,
    class_metrics,
    confusion_matrix,
    expected_calibration_error,
    log_loss,
)

__all__ = [
    "ClassMetrics",
    "Evaluation",
    "accuracy",
    "class_metrics",
    "confusion_matrix",
    "evaluate",
    "evaluate_pictures",
    "evaluate_probabilities",
    "expected_calibration_error",
    "log_loss",
    "wilson_interval",
]
