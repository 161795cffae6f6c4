"""What a filter, a pooling and a trained network see."""

from convolens.explain.activations import convolution_layers, feature_maps, layer_filters
from convolens.explain.class_activation import grad_cam
from convolens.explain.class_activation_layers import layer_cam
from convolens.explain.deleting import deletion_insertion
from convolens.explain.deletion_curves import DeletionInsertion
from convolens.explain.effective_fields import EffectiveField, effective_receptive_field
from convolens.explain.explained_layers import ExplainedLayer, LayerMaps, heat_layer
from convolens.explain.explaining import METHODS, explain_picture
from convolens.explain.explanation import Explanation
from convolens.explain.heat_maps import HeatMaps
from convolens.explain.integrating import IntegratedGradients, integrated_gradients
from convolens.explain.nearest import NearestPictures, nearest_by_features, nearest_pictures
from convolens.explain.neighbours import Neighbour, find_neighbours
from convolens.explain.occluding import Occlusions, occlusion
from convolens.explain.peaks import Peak, find_peak
from convolens.explain.penultimate import features
from convolens.explain.randomising import SanityCheck, sanity_check
from convolens.explain.receptive_fields import ReceptiveField, receptive_field
from convolens.explain.statistics import (
    ActivationStatistics,
    LayerStatistics,
    activation_statistics,
)
from convolens.explain.telling_pictures import ClassExamples, class_examples
from convolens.explain.tracing_values import strongest_value, trace_value
from convolens.explain.value_trace import FollowingStep, ValueTrace
from convolens.explain.view_pooling import PooledMap
from convolens.explain.viewing import ImageView, view_image

__all__ = [
    "METHODS",
    "ActivationStatistics",
    "ClassExamples",
    "DeletionInsertion",
    "EffectiveField",
    "ExplainedLayer",
    "Explanation",
    "FollowingStep",
    "HeatMaps",
    "ImageView",
    "IntegratedGradients",
    "LayerMaps",
    "LayerStatistics",
    "NearestPictures",
    "Neighbour",
    "Occlusions",
    "Peak",
    "PooledMap",
    "ReceptiveField",
    "SanityCheck",
    "ValueTrace",
    "activation_statistics",
    "class_examples",
    "convolution_layers",
    "deletion_insertion",
    "effective_receptive_field",
    "explain_picture",
    "feature_maps",
    "features",
    "find_neighbours",
    "find_peak",
    "grad_cam",
    "heat_layer",
    "integrated_gradients",
    "layer_cam",
    "layer_filters",
    "nearest_by_features",
    "nearest_pictures",
    "occlusion",
    "receptive_field",
    "sanity_check",
    "strongest_value",
    "trace_value",
    "view_image",
]
