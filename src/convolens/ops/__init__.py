"""Convolution and pooling as plain functions on arrays, with the exact meaning of TensorFlow.

Pictures are (height, width, channels) or (n, height, width, channels), filters are
(height, width, in_channels, out_channels). Nothing here is a network; see ``convolens.zoo``.
"""

from convolens.ops import kernels
from convolens.ops.arithmetic import (
    LayerArithmetic,
    count_multiply_adds,
    count_parameters,
    describe_stack,
    receptive_field,
)
from convolens.ops.convolution import conv2d, depthwise_conv2d
from convolens.ops.layer_specs import LayerSpec
from convolens.ops.layers import Conv2D
from convolens.ops.named_pooling import Pooling, named_pooling
from convolens.ops.padding import output_size, pad_amounts
from convolens.ops.pooling import avg_pool2d, depthwise_max_pool, max_pool2d
from convolens.ops.sweep import SweepFilter, SweptMap, random_filters, sweep_conv2d
from convolens.ops.traces import ConvTrace, PoolTrace, trace_conv2d, trace_pool2d

__all__ = [
    "Conv2D",
    "ConvTrace",
    "LayerArithmetic",
    "LayerSpec",
    "PoolTrace",
    "Pooling",
    "SweepFilter",
    "SweptMap",
    "avg_pool2d",
    "conv2d",
    "count_multiply_adds",
    "count_parameters",
    "depthwise_conv2d",
    "depthwise_max_pool",
    "describe_stack",
    "kernels",
    "max_pool2d",
    "named_pooling",
    "output_size",
    "pad_amounts",
    "random_filters",
    "receptive_field",
    "sweep_conv2d",
    "trace_conv2d",
    "trace_pool2d",
]
