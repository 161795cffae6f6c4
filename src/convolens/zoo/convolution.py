"""The convolution of every architecture: ``nn.Conv2d`` with a quicker gradient of its weights.

oneDNN computes the gradient of the weights row by row of the picture: each row is one inner
dimension of its matrix products, which processors take 32 values at a time (Intel's AMX tiles). A
map of 7 x 7 pixels leaves three quarters of such a product empty. So here several small maps are
laid side by side, with zeros between them, and the gradient is computed on the sheet: the same
sums in products that are filled. The zeros stand where the padding of each map would be, so nothing
leaks from one picture into the next. ``docs/experiments.md`` has what it gains at which size.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Wider maps fill a product by themselves; copying them costs more than it gains.
WIDEST_MAP = 14


class Conv2d(nn.Conv2d):
    """``nn.Conv2d`` whose weights' gradient, in bfloat16 on a CPU, is computed on sheets of maps.

    Everywhere else, and for strides, dilations, groups and even kernels, it is ``nn.Conv2d``.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name in torch.nn
        """Convolve (n, in_channels, height, width) to (n, out_channels, height, width)."""
        if not self._on_sheets(input):
            return super().forward(input)
        weight = self.weight.to(torch.bfloat16)
        bias = None if self.bias is None else self.bias.to(torch.bfloat16)
        with torch.autocast("cpu", enabled=False):
            result: Any = _SheetConvolution.apply(input.to(torch.bfloat16), weight)
            return result if bias is None else result + bias[:, None, None]

    def _on_sheets(self, x: Tensor) -> bool:
        autocast = torch.is_autocast_enabled("cpu") and (
            torch.get_autocast_dtype("cpu") == torch.bfloat16
        )
        height, width = self.kernel_size
        return (
            x.device.type == "cpu"
            and (autocast or x.dtype == self.weight.dtype == torch.bfloat16)
            and torch.is_grad_enabled()
            and self.weight.requires_grad
            and x.shape[3] <= WIDEST_MAP
            and self.in_channels >= 16
            and self.stride == self.dilation == (1, 1)
            and self.groups == 1
            and self.padding_mode == "zeros"
            and height == width
            and self.padding == (height // 2, width // 2)
            and height % 2 == 1
            and height > 1
        )


class _SheetConvolution(torch.autograd.Function):
    """A convolution of stride 1 whose output is as large as its input."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, padding=weight.shape[2] // 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        of_input = of_weight = None
        if ctx.needs_input_grad[0]:
            of_input = _backward(gradient, x, weight, (True, False, False))[0]
        if ctx.needs_input_grad[1]:
            of_weight = weight_gradient(x, weight, gradient)
        return of_input, of_weight


def weight_gradient(x: Tensor, weight: Tensor, gradient: Tensor) -> Tensor:
    """Gradient of a convolution's weights: stride 1, an odd kernel, output as large as the input.

    Args:
        x: (n, in_channels, height, width), the input.
        weight: (out_channels, in_channels, k, k), for its shape alone.
        gradient: (n, out_channels, height, width), of the loss by the output.

    Returns:
        (out_channels, in_channels, k, k), in the type of ``x``.
    """
    gap = weight.shape[2] // 2
    across = maps_across(x.shape[3], gap)
    if across > 1:
        x, gradient = lay_side_by_side(x, across, gap), lay_side_by_side(gradient, across, gap)
    return _backward(gradient, x, weight, (False, True, False))[1]


def maps_across(width: int, gap: int) -> int:
    """How many maps of a width are laid side by side: a power of two.

    A sheet is as wide as two of the processor's inner dimensions of 32 for small maps, and one for
    those between 9 and 14 pixels, where copying weighs more.

    >>> [maps_across(width, 1) for width in (3, 7, 8, 10, 14, 28)]
    [16, 8, 4, 2, 2, 1]
    """
    widest = 64 if width <= 8 else 32
    return 1 << max(0, (widest // (width + gap)).bit_length() - 1)


def lay_side_by_side(maps: Tensor, across: int, gap: int) -> Tensor:
    """Maps next to one another, each followed by ``gap`` columns of zeros.

    Args:
        maps: (n, channels, height, width).
        across: how many to a sheet; empty maps fill the last sheet.
        gap: columns.

    Returns:
        (ceil(n / across), channels, height, across * (width + gap)) in ``channels_last`` memory.

    >>> lay_side_by_side(torch.ones(3, 1, 1, 2), across=2, gap=1).tolist()
    [[[[1.0, 1.0, 0.0, 1.0, 1.0, 0.0]]], [[[1.0, 1.0, 0.0, 0.0, 0.0, 0.0]]]]
    """
    n, channels, height, width = maps.shape
    sheets, whole = -(-n // across), n // across
    sheet = maps.new_empty(sheets, height, across, width + gap, channels)
    sheet[:, :, :, width:] = 0
    rows = maps.permute(0, 2, 3, 1)
    filled = rows[: whole * across].view(whole, across, height, width, channels)
    sheet[:whole, :, :, :width] = filled.transpose(1, 2)
    if rest := n - whole * across:
        sheet[whole, :, rest:] = 0
        sheet[whole, :, :rest, :width] = rows[whole * across :].transpose(0, 1)
    return sheet.view(sheets, height, across * (width + gap), channels).permute(0, 3, 1, 2)


def _backward(
    gradient: Tensor, x: Tensor, weight: Tensor, wanted: tuple[bool, bool, bool]
) -> tuple[Tensor, Tensor, Tensor]:
    padding = [weight.shape[2] // 2, weight.shape[3] // 2]
    return torch.ops.aten.convolution_backward(
        gradient, x, weight, None, [1, 1], padding, [1, 1], False, [0, 0], 1, list(wanted)
    )
