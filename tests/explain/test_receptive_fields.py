"""What values see: the arithmetic against the summary's, a measurement, and gradients."""

import numpy as np
import pytest
import torch
from small_networks import IMAGES, SMALL, Functional, Residual, make_model
from torch import Tensor, nn

from convolens.errors import ConfigError
from convolens.explain import effective_receptive_field, receptive_field
from convolens.explain.receptive_fields import _measured
from convolens.zoo import build_network, summarise


@pytest.mark.parametrize("architecture", SMALL)
def test_a_field_is_the_summarys_holds_the_gradients_and_what_is_measured(
    architecture: str,
) -> None:
    """Three ways to the same pixels, in a picture that most fields are smaller than."""
    shape = (30, 22, 1)
    torch.manual_seed(0)
    network = build_network(architecture, shape, 3, **SMALL[architecture]).eval()
    layers = [
        layer
        for layer in summarise(network, shape).layers
        if layer.output_shape[:2] != (1, 1) and layer.kind != "global_pool"
    ]
    pictures = np.random.default_rng(0).random((2, *shape))
    rng = np.random.default_rng(1)
    for layer in (layers[i] for i in np.linspace(0, len(layers) - 1, 5).astype(int)):
        height, width = layer.output_shape[:2]
        for row, column in ((0, width - 1), (int(rng.integers(height)), int(rng.integers(width)))):
            field = receptive_field(network, layer.name, row, column, input_shape=shape)
            assert field.how == "arithmetic"
            assert field.size == layer.receptive_field, layer.name
            heat = effective_receptive_field(
                network, pictures, layer.name, row=row, column=column
            ).heat
            outside = heat.copy()
            if field.rows and field.columns:
                seen = [slice(ends[0], ends[1] + 1) for ends in (field.rows, field.columns)]
                outside[seen[0], seen[1]] = 0
            assert not outside.any(), layer.name
    if architecture not in ("mobilenet_v2", "convnext", "resnet18"):  # theirs are slow in float64
        x = torch.zeros(1, 1, 30, 22)
        assert _measured(network, x, layer.name, row, column) == (field.rows, field.columns)


@pytest.mark.parametrize(
    ("layers", "size", "expected"),
    [
        ([nn.Conv2d(1, 1, 3, padding=2, dilation=2)], 9, ((0, 2), (-2, 2))),
        ([nn.Conv2d(1, 1, 4, padding="same")], 9, ((0, 2), (-1, 2))),
        ([nn.MaxPool2d(3, 2, 1, ceil_mode=True)], 9, ((0, 1), (-1, 1))),
        ([nn.AvgPool2d(2), nn.PReLU(), nn.Conv2d(1, 1, 3, padding=1)], 9, ((0, 3), (-2, 3))),
        ([nn.AdaptiveAvgPool2d(2)], 9, ((0, 4), (0, 4))),
        ([nn.Conv2d(1, 2, 1), nn.GroupNorm(1, 2)], 9, ((0, 8), (0, 8))),
        ([nn.Conv2d(1, 1, 1, padding=1)], 9, (None, (-1, -1))),
    ],
)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_fields_by_hand(layers: list[nn.Module], size: int, expected: tuple) -> None:
    network = nn.Sequential(*layers, nn.Flatten())
    name = str(len(layers) - 1)
    field = receptive_field(network, name, 0, 0, input_shape=(size, size, 1))
    assert (field.rows, field.full_rows) == expected
    x = torch.zeros(1, 1, size, size)
    assert _measured(network, x, name, 0, 0) == (field.rows, field.columns)
    assert (field.rows is None) == ("nothing but padding" in str(field))


class Mixing(nn.Module):
    """What comes behind it depends on every pixel."""

    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(dim=(2, 3), keepdim=True)


@pytest.mark.parametrize(
    ("network", "layer", "rows"),
    [
        (Functional(), "second", (2, 9)),
        (Residual().eval(), "late", (0, 3)),
        (nn.Sequential(nn.Conv2d(3, 2, 3), Mixing(), nn.Flatten()), "1", (0, 11)),
    ],
)
def test_where_the_arithmetic_ends_it_is_measured(
    network: nn.Module, layer: str, rows: tuple[int, int]
) -> None:
    field = receptive_field(network, layer, 1, 1, input_shape=(12, 12, 3))
    assert field.rows == rows
    assert field.how == ("arithmetic" if layer == "late" else "measured")
    assert (field.full_rows is None) == (field.how == "measured")
    assert field.to_dict()["size"] == list(field.size)


def test_a_block_sees_what_its_last_layer_sees() -> None:
    model = make_model("resnet20")
    block = receptive_field(model, "stage2.1", 3, 2)
    last = receptive_field(model, "stage2.1.act", 3, 2)
    assert (block.rows, block.columns, block.size) == (last.rows, last.columns, last.size)
    assert block.how == "arithmetic"


@pytest.mark.parametrize(
    ("layer", "row", "message"),
    [
        ("stem", 8, "row of layer 'stem' is 8; allowed: a whole number from 0 to 7"),
        ("logits", 0, "'logits' .* puts out 4 values"),
        ("stam", 0, "unknown layer 'stam'; did you mean 'stem'"),
    ],
)
def test_what_does_not_exist_is_said(layer: str, row: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        receptive_field(make_model("compact"), layer, row, 0)
    with pytest.raises(ConfigError, match=message):
        effective_receptive_field(make_model("compact"), IMAGES[:1], layer, row=row)


def test_a_bare_network_must_be_told_its_pictures_size() -> None:
    with pytest.raises(ConfigError, match=r"give input_shape=\(height, width, channels\)"):
        receptive_field(nn.Sequential(nn.Conv2d(1, 1, 3)), "0", 0, 0)


def test_the_effective_field_of_a_linear_network_is_its_filters_convolved() -> None:
    one, other = nn.Conv2d(1, 1, 3, bias=False), nn.Conv2d(1, 1, 3, bias=False)
    for module in (one, other):
        module.weight.data = torch.tensor([1.0, 2.0, 1.0]).outer(torch.ones(3))[None, None]
    network = nn.Sequential(one, other, nn.Flatten())
    pictures = np.random.default_rng(0).normal(size=(70, 9, 9, 1))  # more than a batch
    field = effective_receptive_field(network, pictures, "1", channel=0)
    expected = np.outer([1, 4, 6, 4, 1], [1, 2, 3, 2, 1])
    assert field.heat[2:7, 2:7] == pytest.approx(expected)
    assert field.heat.sum() == pytest.approx(expected.sum())
    assert (field.row, field.column, field.n) == (2, 2, 70)
    assert field.size**2 == pytest.approx(field.holding(0.95).sum())
    held = field.heat[field.holding(0.95)]
    assert held.sum() >= 0.95 * expected.sum() > held.sum() - held.min()
    assert field.holding(1.0).sum() == 25


def test_channels_that_are_each_others_negatives_do_not_cancel_out() -> None:
    """As those of a whitening layer are: their sum is always 0."""
    model = make_model("compact")
    together = effective_receptive_field(model, IMAGES, "stem")
    alone = [effective_receptive_field(model, IMAGES, "stem", channel=c).heat for c in range(32)]
    length = np.sqrt(np.sum(np.square(alone), axis=0))
    ratio = together.heat[length > 0] / length[length > 0]
    assert 0.4 < ratio.min() < ratio.max() < 2
    again = effective_receptive_field(model, IMAGES, "stem")
    assert (again.heat == together.heat).all()
    assert "all channels of layer 'stem': a square of" in str(together)


def test_a_value_that_never_changes_has_no_effective_field() -> None:
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU(inplace=True), nn.Flatten())
    network[0].bias.data.fill_(-99.0)
    field = effective_receptive_field(network, np.ones((2, 5, 5, 1)), "1")
    assert field.size == 0
    assert not field.holding(0.95).any()
    assert str(field).endswith("no pixel moves it, in 2 pictures.")

    class Cut(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x > 0).float()

    with pytest.raises(ConfigError, match="no gradient leads from layer '0' back"):
        effective_receptive_field(nn.Sequential(Cut(), nn.Flatten()), np.ones((1, 5, 5, 1)), "0")


def test_looking_leaves_gradients_and_pictures_alone() -> None:
    network = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(1, 1, 3), nn.Flatten())
    pictures = np.random.default_rng(0).normal(size=(2, 5, 5, 1))
    before = pictures.copy()
    with torch.inference_mode():
        effective_receptive_field(network, pictures, "1")
        receptive_field(network, "1", 0, 0, input_shape=(5, 5, 1))
    assert (pictures == before).all()
    assert all(parameter.grad is None for parameter in network.parameters())
