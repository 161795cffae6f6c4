from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convolens import recipes
from convolens.data import epoch_order
from convolens.errors import ConfigError
from convolens.training import Augmentation, Constant, Triangular


def pictures(n: int) -> torch.Tensor:
    return torch.arange(n * 2 * 6 * 7, dtype=torch.float32).reshape(n, 2, 6, 7)


@given(st.integers(0, 2**32), st.integers(0, 50), st.permutations(range(12)))
def test_what_happens_to_a_picture_does_not_depend_on_its_batch(
    seed: int, epoch: int, order: list[int]
) -> None:
    images = pictures(12)
    plan = Augmentation(shift=2, flip=True).plan(12, seed=seed, epoch=epoch)
    together = plan.apply(images, torch.arange(12))
    again = Augmentation(shift=2, flip=True).plan(12, seed=seed, epoch=epoch)
    samples = torch.tensor(order)
    for part in (samples[:5], samples[5:]):
        assert torch.equal(again.apply(images[part], part), together[part])


@given(st.integers(0, 1000))
def test_a_shift_moves_the_picture_and_repeats_its_border(seed: int) -> None:
    images = pictures(8)
    plan = Augmentation(shift=2).plan(8, seed=seed, epoch=0)
    shifted = plan.apply(images, torch.arange(8))
    for i, (down, right) in enumerate(plan.offsets.tolist()):
        assert max(abs(down), abs(right)) <= 2
        rows = np.clip(np.arange(6) - down, 0, 5)
        columns = np.clip(np.arange(7) - right, 0, 6)
        assert torch.equal(shifted[i], images[i][:, rows][:, :, columns])


def test_flips_have_nothing_to_do_with_the_order() -> None:
    flips = Augmentation(flip=True).plan(10_000, seed=7, epoch=0).flips
    assert flips is not None
    for part in np.array_split(epoch_order(10_000, 7, 0), 10):
        assert 0.4 < flips[torch.from_numpy(part)].float().mean() < 0.6


def test_a_picture_is_changed_alike_whatever_the_size_of_the_data_set() -> None:
    small, large = (Augmentation(shift=3, flip=True).plan(n, seed=1, epoch=2) for n in (10, 99))
    assert torch.equal(small.offsets, large.offsets[:10])
    assert torch.equal(small.flips, large.flips[:10])
    assert set(large.offsets.unique().tolist()) == set(range(-3, 4))


def test_flips_alternate() -> None:
    images = pictures(40)
    first, second, third = (
        Augmentation(flip=True).plan(40, seed=0, epoch=epoch).apply(images, torch.arange(40))
        for epoch in range(3)
    )
    assert torch.equal(first, third)
    assert torch.equal(first, second.flip(3))
    flipped = (first != images).flatten(1).any(1).float().mean()
    assert 0.2 < flipped < 0.8


def test_the_default_changes_nothing_and_the_input_is_left_alone() -> None:
    images = pictures(4)
    before = images.clone()
    assert Augmentation().plan(4, seed=0, epoch=0).apply(images, torch.arange(4)) is images
    Augmentation(shift=1, flip=True).plan(4, seed=0, epoch=0).apply(images, torch.arange(4))
    assert torch.equal(images, before)


@given(st.floats(0, 0.99), st.floats(0, 1))
def test_the_triangle_stays_between_zero_and_one(warmup: float, progress: float) -> None:
    assert 0 <= Triangular(warmup=warmup).factor(progress) <= 1
    assert Constant().factor(progress) == 1


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="shift"):
        Augmentation(shift=-1)
    with pytest.raises(ConfigError, match="warmup"):
        Triangular(warmup=1.0)


@pytest.mark.parametrize(
    ("flip", "mirrors", "epochs", "flipped"),
    [
        ("auto", True, 2.0, True),
        ("auto", True, 1.9, False),
        ("auto", False, 50.0, False),
        (True, False, 1.0, True),
        (False, True, 50.0, False),
    ],
)
def test_pictures_are_flipped_where_they_may_be_and_are_seen_often(
    flip: Any, mirrors: bool, epochs: float, flipped: bool
) -> None:
    recipe = recipes.fast(augmentation=Augmentation(flip=flip), epochs=epochs)
    assert recipe.settled(1000, mirrors=mirrors).augmentation.flip is flipped


@pytest.mark.parametrize(
    ("shift", "n", "size", "pixels"),
    [
        ("auto", 4_999, 28, 1),
        ("auto", 4_999, 64, 2),
        ("auto", 400, 8, 0),
        ("auto", 5_000, 64, 0),
        ("auto", 400, None, 0),
        (3, 50_000, 8, 3),
        (0, 400, 64, 0),
    ],
)
def test_few_pictures_are_shifted_by_their_size(
    shift: Any, n: int, size: int | None, pixels: int
) -> None:
    recipe = recipes.fast(augmentation=Augmentation(shift=shift))
    assert recipe.settled(n, size=size).augmentation.shift == pixels


@pytest.mark.parametrize("shift", [-1, 0.5, "some", True])
def test_another_shift_is_refused(shift: Any) -> None:
    with pytest.raises(ConfigError, match="shift is a number of pixels, 0 or more"):
        Augmentation(shift=shift)


@pytest.mark.parametrize(
    ("share", "n", "settled"), [("auto", 24_999, 1.0), ("auto", 25_000, 0.5), (0.3, 10, 0.3)]
)
def test_the_hardest_are_chosen_among_many(share: Any, n: int, settled: float) -> None:
    assert recipes.fast(hardest_share=share).settled(n).hardest_share == settled


@pytest.mark.parametrize("balance", ["sampling", "class_weights"])
def test_balanced_classes_are_seen_as_often_as_they_are(balance: str) -> None:
    assert recipes.fast(**{balance: "balanced"}).settled(50_000).hardest_share == 1.0
    with pytest.raises(ConfigError, match="beside balanced classes"):
        recipes.fast(**{balance: "balanced"}, hardest_share=0.5)


@pytest.mark.parametrize("share", [0, 1.1, "all", None, True])
def test_another_share_is_refused(share: Any) -> None:
    with pytest.raises(ConfigError, match="hardest_share must be above 0 and at most 1"):
        recipes.fast(hardest_share=share)


def test_another_flip_is_refused() -> None:
    with pytest.raises(ConfigError, match="flip must be"):
        Augmentation(flip="sometimes")  # pyright: ignore[reportArgumentType]
