"""Architectures: networks by name, built for any input shape and number of classes.

A network takes float tensors (n, channels, height, width) and returns logits (n, classes). What is
public elsewhere is height, width, channels; the exchange happens in :mod:`convolens.bundle`.
"""

from convolens.zoo.randomness import draws_random_numbers
from convolens.zoo.registry import ARCHITECTURES, Architecture, build_network, check_arguments
from convolens.zoo.summary import ModelSummary, summarise
from convolens.zoo.tracing import length_free
from convolens.zoo.whitening import whiten

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "ModelSummary",
    "build_network",
    "check_arguments",
    "draws_random_numbers",
    "length_free",
    "summarise",
    "whiten",
]
