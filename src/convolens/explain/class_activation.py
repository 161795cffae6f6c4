"""Grad-CAM: the maps of one layer, weighed by how much the class's logit grows with each."""

import torch
from torch import Tensor

from convolens.explain.batches import first_input, in_batches, mirrored_back, on_one_thread
from convolens.explain.explained_layers import usual_heat_layers
from convolens.explain.heat_maps import HeatMaps, Side, read_size, resized
from convolens.explain.layer_gradients import Keeper
from convolens.explain.networks import AnyPictures, Explainable, find_layer
from convolens.explain.targets import Target, read_target


def grad_cam(
    model: Explainable,
    pictures: AnyPictures,
    target: Target = None,
    *,
    layer: str | None = None,
    size: int | Side | None = None,
) -> HeatMaps:
    """Where in the picture the features of a layer are that speak for a class.

    The layer's maps are summed, each weighed by the mean gradient of the class's logit over it, and
    what is below 0 is cut off. The map is as coarse as the layer (``resolutions`` says how coarse)
    and brought to the picture's size by bilinear interpolation. Of a mirrored model it is the mean
    of the picture's map and the mirror image's, turned back.

    Args:
        model: a trained model, or a network from (n, channels, height, width) to (n, classes).
        pictures: for a model any pictures, as ``Model.predict`` takes them; for a network an array
            of floating point (n, height, width, channels).
        target: None for the likeliest class of each picture; the number or, of a model, the name of
            a class; or (n,) of them.
        layer: the name of any layer or block that puts out maps; if None, the last one of them
            that is no pooling: the last convolution, behind what normalises and rectifies it.
            (What a convolution puts out before that is often judged by gradients of both signs, and
            its map is empty for many pictures.)
        size: of the maps, as (height, width) or one number; the network's input's if None.

    Returns:
        Maps of 0 or more, in the unit of a logit.

    Raises:
        ConfigError: no such layer or class, a layer without maps, or pictures that are none.
        ImageError: a picture cannot be read.

    Source: R. Selvaraju et al., "Grad-CAM: Visual explanations from deep networks via
    gradient-based localization", 2017.

    >>> import numpy as np
    >>> from torch import nn
    >>> network = nn.Sequential(
    ...     nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 2)
    ... )
    >>> maps = grad_cam(network, np.random.default_rng(0).random((3, 10, 10, 1)), target=1)
    >>> maps.values.shape, maps.layer, maps.resolutions
    ((3, 10, 10), '2', ((6, 6),))
    """
    x = first_input(model, pictures)
    out = read_size(size, (x.shape[2], x.shape[3]))
    wanted = read_target(model, target, len(pictures))
    name = on_one_thread(lambda: usual_heat_layers(model, x)[-1]) if layer is None else layer

    def compute(x: Tensor, span: slice) -> tuple[Tensor, Tensor, Tensor, Side]:
        found = keeper.gradients(model, x, None if wanted is None else wanted[span])
        output, gradient = found.outputs[0], found.gradients[0]
        weights = gradient.mean(dim=(2, 3), keepdim=True)
        maps = torch.relu((weights * output).sum(dim=1))
        values = resized(mirrored_back(model, maps).float(), out)
        side = (output.shape[2], output.shape[3])
        return values.cpu(), found.targets.cpu(), found.logits.cpu(), side

    with Keeper({name: find_layer(model, name)}) as keeper:
        done = in_batches(model, pictures, compute)
    values, targets, logits, sides = zip(*done, strict=True)
    return HeatMaps(
        method="grad_cam",
        values=torch.cat(values).numpy(),
        signed=False,
        targets=torch.cat(targets).numpy(),
        logits=torch.cat(logits).numpy(),
        layers=(name,),
        resolutions=sides[:1],
    )
