"""Whether a network draws random numbers while it is trained."""

from torch import nn

from convolens.zoo.branches import StochasticDepth

DRAWING = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout, StochasticDepth)


def draws_random_numbers(network: nn.Module) -> bool:
    """Whether any of its layers drops something at random.

    >>> draws_random_numbers(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    False
    """
    return any(isinstance(module, DRAWING) for module in network.modules())
