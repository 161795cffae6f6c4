"""Pictures on the device give the batches of the host, to the bit."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convolens.data import PREPROCESSING_KINDS, Split, StoredImages, fit_preprocessing
from convolens.recipes import fast
from convolens.training import Augmentation
from convolens.training.feeding import Feed
from convolens.training.resident import PreparationTable, ResidentFeed, choose_feed, resident_bytes

CPU = torch.device("cpu")


def split(n: int, channels: int, seed: int, *, stored: bool = False) -> Split:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, 5, 6, channels), dtype=np.uint8)
    images[:, 0, 0] = 77  # a pixel that never changes
    labels = rng.integers(0, 3, n)
    return Split(StoredImages(images) if stored else images, labels)


def feeds(train: Split, kind: str, seed: int, **changes: Any) -> tuple[Feed, ResidentFeed]:
    recipe = fast(preprocessing=kind, **changes).settled(len(train.labels))
    preprocessing = fit_preprocessing(kind, train.images)
    host = Feed(train, preprocessing, recipe, seed=seed, device=CPU)
    return host, ResidentFeed(train, preprocessing, recipe, seed=seed, device=CPU)


@given(
    n=st.integers(1, 40),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 2**32),
    kind=st.sampled_from(PREPROCESSING_KINDS),
    shift=st.integers(0, 2),
    flip=st.booleans(),
    sampling=st.sampled_from(["shuffled", "balanced"]),
    batch_size=st.integers(1, 50),
    steps=st.integers(1, 12),
    share=st.sampled_from([0.3, 0.5, 1.0]),
    stored=st.booleans(),
)
@settings(max_examples=100)
def test_every_batch_is_that_of_the_host(
    n: int,
    channels: int,
    seed: int,
    kind: str,
    shift: int,
    flip: bool,
    sampling: Any,
    batch_size: int,
    steps: int,
    share: float,
    stored: bool,
) -> None:
    host, resident = feeds(
        split(n, channels, seed, stored=stored),
        kind,
        seed,
        augmentation=Augmentation(shift=shift, flip=flip),
        sampling=sampling,
        batch_size=batch_size,
        hardest_share=1.0 if sampling == "balanced" else share,
    )
    torch.manual_seed(seed)
    for step in range(steps):
        mine, theirs = resident.batch(step), host.batch(step)
        assert torch.equal(mine.samples, theirs.samples)
        logits, right = torch.randn(len(mine.targets), 3), torch.ones(len(mine.targets))
        if len(set(mine.samples.tolist())) == len(mine.samples):  # else which loss stays is open
            for feed in (resident, host):
                feed.hardest.note(mine.samples, logits, mine.targets, right.bool())
        assert torch.equal(mine.images, theirs.images)
        assert mine.images.stride() == theirs.images.stride()
        assert mine.images.dtype == theirs.images.dtype
        assert torch.equal(mine.targets, theirs.targets)
    assert torch.equal(resident.sample(7), host.sample(7))


@pytest.mark.parametrize("kind", PREPROCESSING_KINDS)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_table_holds_what_the_preprocessing_gives(kind: str, channels: int) -> None:
    train = split(30, channels, seed=1)
    preprocessing = fit_preprocessing(kind, train.images)
    everything = np.resize(np.arange(256, dtype=np.uint8), (300, 5, 6, channels))
    found = PreparationTable(preprocessing, CPU).prepare(torch.from_numpy(everything))
    expected = torch.from_numpy(preprocessing(everything))
    assert torch.equal(found.permute(0, 2, 3, 1), expected)


def test_what_a_seek_leaves_is_written_in_place() -> None:
    """So that a captured gather, which knows places alone, follows every seek."""
    _, resident = feeds(split(20, 1, 0), "scale", 0, batch_size=6)
    resident.seek(0)
    places = {t.data_ptr() for t in vars(resident).values() if isinstance(t, torch.Tensor)}
    for step in (1, 5, 11):
        resident.seek(step)
        now = {t.data_ptr() for t in vars(resident).values() if isinstance(t, torch.Tensor)}
        assert now == places


def test_where_there_is_no_gpu_the_pictures_stay_on_the_host() -> None:
    train = split(20, 1, 0)
    recipe = fast().settled(20)
    preprocessing = fit_preprocessing("scale", train.images)
    assert type(choose_feed(train, preprocessing, recipe, seed=0, device=CPU)) is Feed


@pytest.mark.parametrize("kind", PREPROCESSING_KINDS)
def test_what_a_resident_feed_needs_is_known_before(kind: str) -> None:
    train = split(200, 3, 0)
    recipe = fast(batch_size=10, augmentation=Augmentation(shift=1, flip=True)).settled(200)
    preprocessing = fit_preprocessing(kind, train.images)
    feed = ResidentFeed(train, preprocessing, recipe, seed=0, device=CPU)
    plan, table = vars(feed)["_plan"], vars(feed)["_table"]
    held = [*vars(feed).values(), *vars(plan).values(), vars(table)["_table"]]
    held += [feed.hardest.losses, feed.hardest.right]
    kept = {t.data_ptr(): t.nbytes for t in held if isinstance(t, torch.Tensor)}
    assert sum(kept.values()) == pytest.approx(resident_bytes(train, preprocessing), rel=0.05)
