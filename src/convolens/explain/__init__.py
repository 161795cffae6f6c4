"""What a filter, a pooling and a trained network see."""

from convolens.explain.activations import convolution_layers, feature_maps, layer_filters
from convolens.explain.class_activation import grad_cam
from convolens.explain.class_activation_layers import layer_cam
from convolens.explain.heat_maps import HeatMaps
from convolens.explain.integrating import IntegratedGradients, integrated_gradients
from convolens.explain.occluding import Occlusions, occlusion
from convolens.explain.view_pooling import PooledMap
from convolens.explain.viewing import ImageView, view_image

__all__ = [
    "HeatMaps",
    "ImageView",
    "IntegratedGradients",
    "Occlusions",
    "PooledMap",
    "convolution_layers",
    "feature_maps",
    "grad_cam",
    "integrated_gradients",
    "layer_cam",
    "layer_filters",
    "occlusion",
    "view_image",
]
