"""Heat maps and attributions agree with captum's on the same networks and pictures."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from convolens.explain import grad_cam, integrated_gradients, layer_cam, occlusion
from convolens.zoo import build_network

captum = pytest.importorskip("captum.attr")

SHAPE = (16, 18, 3)
PICTURES = np.random.default_rng(7).normal(size=(2, *SHAPE)).astype(np.float32)
X = torch.from_numpy(PICTURES).permute(0, 3, 1, 2)
TARGETS = np.array([2, 0])

ZOO: dict[str, tuple[str, dict[str, Any]]] = {
    "compact": ("conv1b", {"width": 8}),
    "notes": ("conv5", {}),
    "resnet20": ("stage2.0", {"width": 4}),
    "densenet": ("stem", {"depth": 10, "growth": 4}),
    "mobilenet_v2": ("stage2.0", {"width": 0.1}),
    "convnext": ("stage1.0", {"width": 8, "depths": [1, 1, 2, 1]}),
}
QUICK = ("compact", "resnet20", "convnext", "hand-made")


class HandMade(nn.Module):
    """Uneven strides, an activation in place, a layer that is passed twice, two paths."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, stride=(1, 2), padding=1)
        self.again = nn.Conv2d(6, 6, 3, padding=1)
        self.bend = nn.ReLU(inplace=True)
        self.last = nn.Conv2d(6, 5, 5)
        self.logits = nn.Linear(5, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.bend(self.first(x))
        x = x + self.bend(self.again(self.bend(self.again(x))))
        return self.logits(torch.tanh(self.last(x)).amax(dim=(2, 3)))


def build(name: str) -> tuple[nn.Module, str]:
    if name == "hand-made":
        torch.manual_seed(3)
        return HandMade().eval(), "last"
    layer, arguments = ZOO[name]
    return build_network(name, SHAPE, 4, seed=5, **arguments).eval(), layer


def close(ours: np.ndarray, theirs: torch.Tensor) -> None:
    """To 1e-4, absolute and of the largest value."""
    expected = theirs.detach().numpy()
    assert ours == pytest.approx(expected, abs=1e-4 * min(1.0, float(np.abs(expected).max())))


def at_picture_size(maps: torch.Tensor) -> torch.Tensor:
    return captum.LayerAttribution.interpolate(maps, SHAPE[:2], interpolate_mode="bilinear")[:, 0]


@pytest.mark.parametrize("chosen", ["last", "inner"])
@pytest.mark.parametrize("name", [*ZOO, "hand-made"])
def test_grad_cam(name: str, chosen: str) -> None:
    module, layer = build(name)
    found = grad_cam(module, PICTURES, TARGETS, layer=None if chosen == "last" else layer)
    theirs = captum.LayerGradCam(module, module.get_submodule(found.layers[0]))
    maps = theirs.attribute(X.clone(), torch.from_numpy(TARGETS), relu_attributions=True)
    close(found.values, at_picture_size(maps))
    assert found.values.max() > 0


def test_layer_cam_of_one_layer() -> None:
    """Where activations are not below 0, it is the positive part of gradient times activation."""
    for name, layer in (("compact", "act1b"), ("notes", "relu3"), ("resnet20", "stage1.0")):
        module, _ = build(name)
        found = layer_cam(module, PICTURES, TARGETS, layers=[layer])
        theirs = captum.LayerGradientXActivation(module, module.get_submodule(layer))
        products = theirs.attribute(X.clone(), torch.from_numpy(TARGETS))
        maps = torch.relu(products).sum(dim=1, keepdim=True)
        close(found.values, at_picture_size(maps / maps.amax(dim=(2, 3), keepdim=True)))


@pytest.mark.parametrize("baseline", [None, 0.5])
@pytest.mark.parametrize("name", QUICK)
def test_integrated_gradients(name: str, baseline: float | None) -> None:
    module, _ = build(name)
    found = integrated_gradients(module, PICTURES, TARGETS, steps=12, baseline=baseline)
    theirs, delta = captum.IntegratedGradients(module).attribute(
        X.clone(),
        baselines=baseline or 0.0,
        target=torch.from_numpy(TARGETS),
        n_steps=12,
        return_convergence_delta=True,
    )
    close(found.attributions, theirs.permute(0, 2, 3, 1))
    assert found.completeness_errors == pytest.approx(delta.float().numpy(), abs=1e-5)


@pytest.mark.parametrize(("window", "stride"), [((5, 6), (3, 6)), ((7, 4), (4, 3))])
@pytest.mark.parametrize("name", QUICK)
def test_occlusion(name: str, window: tuple[int, int], stride: tuple[int, int]) -> None:
    module, _ = build(name)
    found = occlusion(module, PICTURES, TARGETS, window=window, stride=stride, fill=0.25)
    with torch.no_grad():
        theirs = captum.Occlusion(module).attribute(
            X.clone(),
            (3, *window),
            strides=(3, *stride),
            baselines=0.25,
            target=torch.from_numpy(TARGETS),
        )
    close(found.values, theirs[:, 0].float())
