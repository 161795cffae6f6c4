"""Pictures: every one a matplotlib figure that knows nothing of pyplot, in one house style.

Arrays go in as the design has them, (height, width, channels) and (n, height, width, channels);
ordinary figures come out, that a notebook shows and ``save_figure`` writes. No function here
changes its input or matplotlib's settings.
"""

from convolens.plotting.activation_statistics import plot_activation_statistics
from convolens.plotting.class_scores import plot_class_scores
from convolens.plotting.confusion import plot_confusion_matrix
from convolens.plotting.crop import plot_crop
from convolens.plotting.curves import plot_learning_curves
from convolens.plotting.data_pictures import plot_class_counts, plot_pairs
from convolens.plotting.deletion import plot_deletion_insertion
from convolens.plotting.explanation import plot_explanation
from convolens.plotting.familiarity import plot_familiarity
from convolens.plotting.figures import Figure, save_figure
from convolens.plotting.filters import plot_filters
from convolens.plotting.folds import plot_folds
from convolens.plotting.gallery import plot_images
from convolens.plotting.grid import plot_grid
from convolens.plotting.image import plot_image
from convolens.plotting.maps import plot_feature_maps
from convolens.plotting.neighbours import plot_neighbours
from convolens.plotting.pooling import plot_pooling
from convolens.plotting.predictions import plot_predictions
from convolens.plotting.receptive_field import plot_receptive_field
from convolens.plotting.reliability import plot_reliability
from convolens.plotting.risk_coverage import plot_risk_coverage
from convolens.plotting.threshold_curves import plot_precision_recall_curves, plot_roc_curves
from convolens.plotting.trace import plot_trace
from convolens.plotting.value_trace import plot_value_trace
from convolens.plotting.views import plot_view

__all__ = [
    "Figure",
    "plot_activation_statistics",
    "plot_class_counts",
    "plot_class_scores",
    "plot_confusion_matrix",
    "plot_crop",
    "plot_deletion_insertion",
    "plot_explanation",
    "plot_familiarity",
    "plot_feature_maps",
    "plot_filters",
    "plot_folds",
    "plot_grid",
    "plot_image",
    "plot_images",
    "plot_learning_curves",
    "plot_neighbours",
    "plot_pairs",
    "plot_pooling",
    "plot_precision_recall_curves",
    "plot_predictions",
    "plot_receptive_field",
    "plot_reliability",
    "plot_risk_coverage",
    "plot_roc_curves",
    "plot_trace",
    "plot_value_trace",
    "plot_view",
    "save_figure",
]
