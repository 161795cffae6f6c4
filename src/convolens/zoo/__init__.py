"""Architectures: networks by name, built for any input shape and number of classes.

A network takes float tensors (n, channels, height, width) and returns logits (n, classes). What is
public elsewhere is height, width, channels; the exchange happens in :mod:`convolens.bundle`.
"""

from convolens.zoo.registry import ARCHITECTURES, Architecture, build_network
from convolens.zoo.summary import ModelSummary, summarise

__all__ = ["ARCHITECTURES", "Architecture", "ModelSummary", "build_network", "summarise"]
