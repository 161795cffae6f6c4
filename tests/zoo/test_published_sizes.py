"""Parameter counts, each against its paper's table, summed here without any network."""

import pytest

from convolens.zoo import summarise


def conv(inside: int, outside: int, window: int) -> int:
    return inside * outside * window * window


def norm(*channels: int) -> int:
    return 2 * sum(channels)


def dense(inside: int, outside: int) -> int:
    return inside * outside + outside


def lenet5() -> int:
    """LeCun et al., 1998, figure 2, with every map of S2 joined to every map of C3."""
    c1, c3 = 6 * (5 * 5 + 1), 16 * (6 * 5 * 5 + 1)
    return c1 + c3 + dense(16 * 5 * 5, 120) + dense(120, 84) + dense(84, 10)


def vgg(stages: list[list[int]], *, normalised: bool) -> int:
    """Simonyan and Zisserman, 2015, table 1: channels of each convolution, stage by stage."""
    inside, total = 3, 0
    for outside in (width for stage in stages for width in stage):
        total += conv(inside, outside, 3) + (norm(outside) if normalised else outside)
        inside = outside
    return total + dense(512 * 7 * 7, 4096) + dense(4096, 4096) + dense(4096, 1000)


def resnet_small(n: int) -> int:
    """He et al., 2016, section 4.2: 6 n + 2 layers, shortcuts without parameters."""
    first = conv(3, 16, 3) + norm(16)
    same = sum((2 * n - 1) * conv(width, width, 3) for width in (16, 32, 64))
    changing = conv(16, 16, 3) + conv(16, 32, 3) + conv(32, 64, 3)
    norms = 2 * n * norm(16, 32, 64)
    return first + same + changing + norms + dense(64, 10)


def resnet_large(blocks: list[int]) -> int:
    """He et al., 2016, table 1, with projections where the channels change."""
    widths = (64, 128, 256, 512)
    total = conv(3, 64, 7) + norm(64)
    for n, width in zip(blocks, widths, strict=True):
        total += (2 * n - 1) * conv(width, width, 3) + 2 * n * norm(width)
        before = 64 if width == 64 else width // 2
        total += conv(before, width, 3)
        total += 0 if width == 64 else conv(before, width, 1) + norm(width)
    return total + dense(512, 1000)


def wide_resnet(n: int, k: int) -> int:
    """Zagoruyko and Komodakis, 2016, table 1; a normalisation before every convolution of it."""
    total, before = conv(3, 16, 3), 16
    for width in (16 * k, 32 * k, 64 * k):
        total += conv(before, width, 3) + (2 * n - 1) * conv(width, width, 3)
        total += conv(before, width, 1)
        total += norm(before) + (2 * n - 1) * norm(width)
        before = width
    return total + norm(before) + dense(before, 10)


def densenet_bc(depth: int, k: int) -> int:
    """Huang et al., 2017, section 3: bottlenecks of 4 k, transitions that halve the channels."""
    n, channels = (depth - 4) // 6, 2 * k
    total = conv(3, channels, 3)
    for stage in range(3):
        for _ in range(n):
            total += norm(channels) + conv(channels, 4 * k, 1)
            total += norm(4 * k) + conv(4 * k, k, 3)
            channels += k
        if stage < 2:
            total += norm(channels) + conv(channels, channels // 2, 1)
            channels //= 2
    return total + norm(channels) + dense(channels, 10)


def mobilenet_v2() -> int:
    """Sandler et al., 2018, tables 1 and 2."""
    total, before = conv(3, 32, 3) + norm(32), 32
    table = [
        (1, 16, 1),
        (6, 24, 2),
        (6, 32, 3),
        (6, 64, 4),
        (6, 96, 3),
        (6, 160, 3),
        (6, 320, 1),
    ]
    for t, c, n in table:
        for _ in range(n):
            wide = t * before
            total += 0 if t == 1 else before * wide + norm(wide)
            total += 9 * wide + norm(wide) + wide * c + norm(c)
            before = c
    return total + 320 * 1280 + norm(1280) + dense(1280, 1000)


def convnext(width: int, depths: tuple[int, ...]) -> int:
    """Liu et al., 2022, table 9 and figure 4."""
    total, channels = conv(3, width, 4) + width + norm(width), width
    for stage, n in enumerate(depths):
        if stage:
            total += norm(channels) + conv(channels, 2 * channels, 2) + 2 * channels
            channels *= 2
        depthwise = 49 * channels + channels
        mixing = dense(channels, 4 * channels) + dense(4 * channels, channels)
        total += n * (depthwise + norm(channels) + mixing + channels)
    return total + norm(channels) + dense(channels, 1000)


VGG11 = [[64], [128], [256] * 2, [512] * 2, [512] * 2]
VGG16 = [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]
SMALL, LARGE = ((32, 32, 3), 10), ((224, 224, 3), 1000)


@pytest.mark.parametrize(
    ("name", "arguments", "pictures", "published", "by_hand"),
    [
        ("lenet5", {}, ((32, 32, 1), 10), 61_706, lenet5()),
        ("lenet5", {}, ((28, 28, 1), 10), 61_706, lenet5()),
        ("vgg11", {"normalised": False}, LARGE, 132_863_336, vgg(VGG11, normalised=False)),
        ("vgg11", {}, LARGE, 132_868_840 - 2_752, vgg(VGG11, normalised=True)),
        ("vgg16", {"normalised": False}, LARGE, 138_357_544, vgg(VGG16, normalised=False)),
        ("resnet20", {}, SMALL, 269_722, resnet_small(3)),
        ("resnet32", {}, SMALL, 464_154, resnet_small(5)),
        ("resnet56", {}, SMALL, 853_018, resnet_small(9)),
        ("resnet18", {}, LARGE, 11_689_512, resnet_large([2, 2, 2, 2])),
        ("resnet34", {}, LARGE, 21_797_672, resnet_large([3, 4, 6, 3])),
        ("wrn-16-4", {}, SMALL, 2_748_890, wide_resnet(2, 4)),
        ("wrn-28-10", {}, SMALL, 36_479_194, wide_resnet(4, 10)),
        ("wide_resnet", {"depth": 28, "width": 10}, SMALL, 36_479_194, wide_resnet(4, 10)),
        ("densenet-bc-100", {}, SMALL, 769_162, densenet_bc(100, 12)),
        ("densenet", {"depth": 190, "growth": 40}, SMALL, 25_624_430, densenet_bc(190, 40)),
        ("mobilenet_v2", {}, LARGE, 3_504_872, mobilenet_v2()),
        ("convnext", {}, LARGE, 28_589_128, convnext(96, (3, 3, 9, 3))),
        ("convnext-atto", {}, LARGE, 3_695_520, convnext(40, (2, 2, 6, 2))),
    ],
)
def test_an_architecture_has_its_published_size(
    name: str,
    arguments: dict,
    pictures: tuple[tuple[int, int, int], int],
    published: int,
    by_hand: int,
) -> None:
    assert by_hand == published
    assert summarise(name, *pictures, **arguments).parameters == published


@pytest.mark.parametrize(
    ("name", "shape", "millions"),
    [
        # In millions: He et al., 2016, table 1, 1,800 and 3,600; Sandler et al., 2018, table 4,
        # 300; Liu et al., 2022, table 1, 4,500. Of WRN-28-10, 5.2 thousand are usually given.
        ("resnet18", (224, 224, 3), (1_790, 1_850)),
        ("resnet34", (224, 224, 3), (3_590, 3_700)),
        ("mobilenet_v2", (224, 224, 3), (299, 302)),
        ("convnext", (224, 224, 3), (4_440, 4_550)),
        ("wrn-28-10", (32, 32, 3), (5_190, 5_260)),
    ],
)
def test_an_architecture_does_its_published_work(
    name: str, shape: tuple[int, int, int], millions: tuple[int, int]
) -> None:
    n_classes = 10 if shape[0] == 32 else 1000
    assert millions[0] < summarise(name, shape, n_classes).multiply_adds / 1e6 < millions[1]


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("resnet20", {8: 8, 28: 7, 32: 8, 64: 8, 128: 8, 224: 14}),
        ("wrn-16-4", {8: 8, 28: 7, 32: 8, 64: 8, 128: 8, 224: 14}),
        ("densenet-bc-100", {8: 8, 28: 7, 32: 8, 64: 8, 128: 8, 224: 14}),
        ("resnet18", {8: 4, 28: 4, 32: 4, 64: 4, 96: 6, 128: 4, 224: 7, 320: 10}),
        ("mobilenet_v2", {8: 4, 28: 4, 32: 4, 64: 4, 96: 6, 128: 4, 224: 7, 320: 10}),
        ("convnext", {8: 4, 28: 3, 32: 4, 64: 4, 96: 6, 128: 4, 224: 7, 320: 10}),
        ("vgg11", {8: 2, 28: 3, 32: 2, 64: 2, 128: 4, 224: 7, 320: 10}),
    ],
)
def test_the_last_maps_keep_their_size_by_the_stated_rule(name: str, sides: dict[int, int]) -> None:
    for side, last in sides.items():
        shapes = [layer.output_shape for layer in summarise(name, (side, side, 3), 5).layers]
        maps = [shape for shape in shapes if shape[0] > 1]
        assert maps[-1][:2] == (last, last), side
