"""Building blocks that several architectures share."""

from torch import Tensor, nn


def conv_same(in_channels: int, out_channels: int, kernel_size: int, *, bias: bool) -> nn.Conv2d:
    """Convolution of stride 1 whose output is as large as its input; ``kernel_size`` is odd."""
    assert kernel_size % 2 == 1, "an even kernel cannot pad evenly on both sides"
    return nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias)


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation whose running statistics follow within tens of steps.

    Short schedules need it: PyTorch's default momentum of 0.1 is for long ones, and a run of one
    epoch would be judged by statistics of weights that it no longer has.
    """
    return nn.BatchNorm2d(channels, momentum=0.3)


def glorot_uniform_(network: nn.Module) -> None:
    """Initialise every convolution and dense layer as Keras does: Glorot uniform, zero biases.

    Source: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward
    neural networks", 2010.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class GlobalAveragePool(nn.Module):
    """Mean over height and width: (n, channels, height, width) to (n, channels)."""

    def forward(self, x: Tensor) -> Tensor:
        """Average each channel's map."""
        return x.mean(dim=(2, 3))
