"""A first layer that is computed from the pictures instead of being learnt."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Added to each variance: directions that hardly occur are noise, which whitening would blow up to
# the size of everything else. As in K. Jordan's airbench, for pictures standardised by channel.
_EPSILON = 0.05
_MOST_PATCHES = 400_000


class WhiteningConv2d(nn.Conv2d):
    """Frozen filters whose answers to the training pictures are uncorrelated and of one size.

    The filters are the principal components of the patches that they see, the strongest first, each
    divided by its standard deviation, and then the negatives of the same, so that a rectifier
    behind them loses nothing. If there are more channels than that, random rotations of the
    components fill the rest. Until :func:`whiten` is called the filters are orthogonal and random.

    Nothing is learnt, so no gradient has to be brought back to the picture's full resolution.

    Source: T. Page, "hlb-CIFAR10", 2023, and K. Jordan, "94% on CIFAR-10 in 3.29 Seconds on a
    Single GPU", 2024 (arXiv:2404.00498), who whiten 2 x 2 patches at stride 1.

    Args:
        in_channels: of the picture.
        out_channels: an even number of filters.
        kernel_size: side of the patches in pixels.
        stride: likewise; ``kernel_size - stride`` is even and half of it is the padding.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int) -> None:
        assert (kernel_size - stride) % 2 == 0, "a patch lies evenly around its stride"
        padding = (kernel_size - stride) // 2
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding=padding, bias=False
        )
        self.weight.requires_grad_(False)
        directions = in_channels * kernel_size**2
        self._fill(torch.linalg.qr(torch.randn(directions, directions))[0])

    def whiten(self, pictures: Tensor) -> None:
        """Compute the filters.

        Args:
            pictures: (n, in_channels, height, width) float, preprocessed; some hundred are enough,
                and no more are taken than give some 400,000 patches.
        """
        size, stride = self.kernel_size, self.stride
        height, width = pictures.shape[2:]
        each = ((height - size[0]) // stride[0] + 1) * ((width - size[1]) // stride[1] + 1)
        pictures = pictures[:: -(-len(pictures) * each // _MOST_PATCHES)]
        patches = F.unfold(pictures.float().contiguous(), size, stride=stride)
        patches = patches.transpose(1, 2).reshape(-1, patches.shape[1])
        patches = patches.double()
        # About zero, not about the mean patch: a convolution without a bias cannot subtract it.
        moments = patches.T @ patches / len(patches)
        variances, components = torch.linalg.eigh(moments)
        order = torch.argsort(variances, descending=True)
        filters = (components / (variances.clamp(min=0) + _EPSILON).sqrt())[:, order].T
        self._fill(_without_sign(filters).float())

    @torch.no_grad()
    def _fill(self, filters: Tensor) -> None:
        """Take (directions, directions) filters, the most important first."""
        half = self.out_channels // 2
        chosen = filters[:half]
        if missing := half - len(chosen):
            generator = torch.Generator().manual_seed(0)
            turned = torch.randn(missing, len(filters), generator=generator).to(filters)
            chosen = torch.cat([chosen, F.normalize(turned, dim=1) @ filters])
        both = torch.cat([chosen, -chosen])
        if self.out_channels % 2:
            both = torch.cat([both, chosen[:1]])
        self.weight.copy_(both.view_as(self.weight))


def whiten(network: nn.Module, pictures: Tensor) -> None:
    """Compute the first layer of a network that has a whitening one; nothing where it has none.

    Args:
        network: whose whitening layer sees the pictures themselves.
        pictures: (n, channels, height, width) float, preprocessed as for training.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums over several threads would differ in their last bits
    try:
        for layer in whitening_layers(network):
            layer.whiten(pictures)
    finally:
        torch.set_num_threads(threads)


def whitening_layers(network: nn.Module) -> Iterable[WhiteningConv2d]:
    """The layers that are computed from the pictures."""
    return (module for module in network.modules() if isinstance(module, WhiteningConv2d))


def _without_sign(filters: Tensor) -> Tensor:
    """Each filter so that its entry of largest size is positive: an eigenvector has no sign."""
    largest = filters.abs().argmax(dim=1, keepdim=True)
    return filters * filters.gather(1, largest).sign()
