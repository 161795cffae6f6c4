"""How good a model is: metrics of probabilities and labels, with intervals.

Plain functions of arrays, most of them: probabilities (n, classes) and labels (n,). What is fitted
here, such as a temperature or a threshold, is to be fitted on pictures that were not trained on,
and judged on others again.
"""

from convolens.doubt import (
    RiskTable,
    Thresholds,
    UnknownBelow,
    UnsureBelow,
    binomial_upper,
    energy,
    least_risk,
    max_logit,
    neighbourhood,
    pick_threshold,
)
from convolens.evaluation.bootstrap import MatrixIntervals, bootstrap_matrix
from convolens.evaluation.calibration import (
    ReliabilityBin,
    fit_temperature,
    reliability,
    with_temperature,
)
from convolens.evaluation.comparing import (
    PairedComparison,
    compare_paired,
    mcnemar,
    pictures_that_tell,
)
from convolens.evaluation.confusions import Confusion, most_confused
from convolens.evaluation.curves import (
    PrecisionRecallCurve,
    RocCurve,
    precision_recall_curve,
    roc_curve,
)
from convolens.evaluation.evaluating import (
    Evaluation,
    evaluate,
    evaluate_pictures,
    evaluate_probabilities,
)
from convolens.evaluation.intervals import wilson_interval
from convolens.evaluation.label_errors import LabelErrors, estimate_joint, find_label_errors
from convolens.evaluation.metrics import (
    Averages,
    ClassMetrics,
    accuracy,
    brier_score,
    class_metrics,
    confusion_matrix,
    expected_calibration_error,
    log_loss,
    macro_average,
    top_k_accuracy,
    weighted_average,
)
from convolens.evaluation.selective import (
    RiskCoverage,
    risk_coverage,
    risk_table,
    unsure_below,
)
from convolens.evaluation.unknown import (
    choose_neighbours,
    fit_neighbours,
    fit_thresholds,
    fit_unknown,
)

__all__ = [
    "Averages",
    "ClassMetrics",
    "Confusion",
    "Evaluation",
    "LabelErrors",
    "MatrixIntervals",
    "PairedComparison",
    "PrecisionRecallCurve",
    "ReliabilityBin",
    "RiskCoverage",
    "RiskTable",
    "RocCurve",
    "Thresholds",
    "UnknownBelow",
    "UnsureBelow",
    "accuracy",
    "binomial_upper",
    "bootstrap_matrix",
    "brier_score",
    "choose_neighbours",
    "class_metrics",
    "compare_paired",
    "confusion_matrix",
    "energy",
    "estimate_joint",
    "evaluate",
    "evaluate_pictures",
    "evaluate_probabilities",
    "expected_calibration_error",
    "find_label_errors",
    "fit_neighbours",
    "fit_temperature",
    "fit_thresholds",
    "fit_unknown",
    "least_risk",
    "log_loss",
    "macro_average",
    "max_logit",
    "mcnemar",
    "most_confused",
    "neighbourhood",
    "pick_threshold",
    "pictures_that_tell",
    "precision_recall_curve",
    "reliability",
    "risk_coverage",
    "risk_table",
    "roc_curve",
    "top_k_accuracy",
    "unsure_below",
    "weighted_average",
    "wilson_interval",
    "with_temperature",
]
