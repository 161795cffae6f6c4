"""Where the paths of a network part and meet. Each meeting is a module, so that it can be seen.

A network whose every operation is a module can be followed layer by layer (``zoo.tracing``): a
summary needs no forward pass, and nothing that a network does stays hidden in its ``forward``.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Add(nn.Module):
    """Sum of two paths of the same shape."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Add, value by value."""
        return x + y


class Concatenate(nn.Module):
    """Channels of two paths, the first one's in front: (n, a + b, height, width)."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Lay the channels one behind the other."""
        return torch.cat((x, y), dim=1)


class Residual(nn.Module):
    """The sum of a body and a shortcut around it, and an activation of the sum.

    Args:
        body: from (n, channels, height, width) to the output's shape.
        shortcut: likewise; None hands the input on as it is.
        activation: applied to the sum; None for none.

    Source: He et al., "Deep Residual Learning for Image Recognition", 2016.
    """

    def __init__(
        self,
        body: nn.Module,
        shortcut: nn.Module | None = None,
        activation: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut
        self.add = Add()
        self.act = activation

    def forward(self, x: Tensor) -> Tensor:
        """Add what the body makes of the input to what the shortcut does."""
        around = x if self.shortcut is None else self.shortcut(x)
        total = self.add(self.body(x), around)
        return total if self.act is None else self.act(total)


class ZeroPadShortcut(nn.Module):
    """Every ``stride``-th pixel of the input, with channels of zeros behind its own.

    It has no parameters: option A of He et al., 2016, section 3.3.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        assert out_channels >= in_channels, "a shortcut cannot drop channels"
        self.extra = out_channels - in_channels
        self.out_channels = out_channels
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Thin out the pixels and add channels of zeros."""
        thinned = x[:, :, :: self.stride, :: self.stride]
        return F.pad(thinned, (0, 0, 0, 0, 0, self.extra))


class StochasticDepth(nn.Module):
    """While training, drops a path for a share of the pictures, and scales it up for the others.

    Source: Huang et al., "Deep Networks with Stochastic Depth", 2016.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        assert 0 <= share < 1, "something must be left"
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Multiply each picture's maps by 0 or 1 / (1 - share); when judging, by 1."""
        if not self.training or self.share == 0:
            return x
        kept = torch.rand(len(x), 1, 1, 1, device=x.device) >= self.share
        return x * (kept / (1 - self.share)).to(x.dtype)
