"""The gradient on sheets is the gradient."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from convolens.zoo.convolution import Conv2d, lay_side_by_side, maps_across, weight_gradient


@given(
    n=st.integers(1, 37),
    height=st.integers(1, 9),
    width=st.integers(1, 14),
    channels=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    kernel=st.sampled_from([3, 5, 7]),
    seed=st.integers(0, 2**32),
)
def test_weight_gradient_is_that_of_autograd_in_double_precision(
    n: int, height: int, width: int, channels: tuple[int, int], kernel: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    inside, outside = channels
    x = torch.randn(n, inside, height, width, generator=generator, dtype=torch.float64)
    weight = torch.zeros(outside, inside, kernel, kernel, dtype=torch.float64, requires_grad=True)
    output = nn.functional.conv2d(x, weight, padding=kernel // 2)
    gradient = torch.randn(output.shape, generator=generator, dtype=torch.float64)
    (wanted,) = torch.autograd.grad(output, weight, gradient)
    found = weight_gradient(x, weight.detach(), gradient)
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)


@given(n=st.integers(1, 20), width=st.integers(1, 14), gap=st.integers(1, 3))
def test_a_sheet_holds_every_map_and_zeros_else(n: int, width: int, gap: int) -> None:
    maps = torch.rand(n, 2, 3, width) + 1
    across = maps_across(width, gap)
    sheet = lay_side_by_side(maps, across, gap)
    assert sheet.is_contiguous(memory_format=torch.channels_last)
    for index in range(n):
        row, column = divmod(index, across)
        start = column * (width + gap)
        assert torch.equal(sheet[row, :, :, start : start + width], maps[index])
    assert torch.isclose(sheet.double().sum(), maps.double().sum())


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("size", [3, 7, 14])
def test_all_gradients_in_bfloat16_are_as_near_to_the_true_ones_as_pytorch_s(
    bias: bool, size: int
) -> None:
    torch.manual_seed(size)
    ours = Conv2d(16, 32, 3, padding=1, bias=bias).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    x = torch.randn(33, 16, size, size).contiguous(memory_format=torch.channels_last)
    g = torch.randn(33, 32, size, size).contiguous(memory_format=torch.channels_last)

    def gradients(layer: nn.Conv2d, dtype: torch.dtype) -> list[torch.Tensor]:
        given = x.to(dtype).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype != torch.float64):
            output = layer(given)
        wanted = [given, *layer.parameters()]
        return [t.double() for t in torch.autograd.grad(output, wanted, g.to(output.dtype))]

    def same_weights(layer: nn.Conv2d) -> nn.Conv2d:
        layer.load_state_dict(ours.state_dict())
        return layer

    plain = same_weights(nn.Conv2d(16, 32, 3, padding=1, bias=bias))
    exact = same_weights(nn.Conv2d(16, 32, 3, padding=1, bias=bias)).double()
    true = gradients(exact, torch.float64)
    for mine, theirs, truth in zip(
        gradients(ours, torch.float32), gradients(plain, torch.float32), true, strict=True
    ):
        error, usual = (mine - truth).norm() / truth.norm(), (theirs - truth).norm() / truth.norm()
        assert error < 1.2 * usual + 1e-3


@pytest.mark.parametrize(
    "layer",
    [
        Conv2d(16, 16, 3, padding=1, stride=2),
        Conv2d(16, 16, 3, padding=1, groups=16),
        Conv2d(16, 16, 3, padding=2, dilation=2),
        Conv2d(16, 16, 3),
        Conv2d(16, 16, 1),
        Conv2d(3, 16, 3, padding=1),
    ],
)
def test_what_is_not_computed_on_sheets_is_exactly_pytorch_s(layer: Conv2d) -> None:
    x = torch.randn(4, layer.in_channels, 8, 8)
    plain = nn.Conv2d(
        layer.in_channels, 16, layer.kernel_size, layer.stride, layer.padding, layer.dilation,
        layer.groups,
    )  # fmt: skip
    plain.load_state_dict(layer.state_dict())
    with torch.autocast("cpu", torch.bfloat16):
        mine, theirs = layer(x), plain(x)
    assert torch.equal(mine, theirs)
    for a, b in zip(
        torch.autograd.grad(mine.sum(), list(layer.parameters())),
        torch.autograd.grad(theirs.sum(), list(plain.parameters())),
        strict=True,
    ):
        assert torch.equal(a, b)
