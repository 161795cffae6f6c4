"""What a trained network sees: its filters and the feature maps of its layers."""

from convolens.explain.activations import convolution_layers, feature_maps, layer_filters

__all__ = ["convolution_layers", "feature_maps", "layer_filters"]
