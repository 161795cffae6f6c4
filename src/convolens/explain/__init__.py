"""What a filter, a pooling and a trained network see."""

from convolens.explain.activations import convolution_layers, feature_maps, layer_filters
from convolens.explain.view_pooling import PooledMap
from convolens.explain.viewing import ImageView, view_image

__all__ = [
    "ImageView",
    "PooledMap",
    "convolution_layers",
    "feature_maps",
    "layer_filters",
    "view_image",
]
