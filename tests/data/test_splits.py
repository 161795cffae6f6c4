import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.data import Split, hold_out_last, stratified_split
from convolens.errors import ConfigError


def numbered(labels):
    """Pictures whose pixels say which one they are."""
    labels = np.asarray(labels, dtype=np.int64)
    numbers = np.arange(len(labels))
    pixels = np.stack([numbers % 256, numbers // 256], axis=1).astype(np.uint8)
    return Split(np.ascontiguousarray(pixels.reshape(-1, 1, 2, 1)), labels)


def numbers_of(split):
    pixels = split.images.reshape(-1, 2).astype(int)
    return pixels[:, 0] + 256 * pixels[:, 1]


labels_lists = st.lists(st.integers(0, 5), min_size=20, max_size=300)
fraction_lists = st.lists(st.integers(1, 9), min_size=2, max_size=4).map(
    lambda parts: tuple(part / sum(parts) for part in parts)
)


@given(labels_lists, fraction_lists, st.integers(0, 2**64 - 1))
def test_a_stratified_split_keeps_its_promises(labels, fractions, seed):
    whole = numbered(labels)
    n = len(whole)
    if min(fractions) * n < 1:
        return
    parts = stratified_split(whole, fractions, seed)

    numbers = [numbers_of(part) for part in parts]
    assert sorted(np.concatenate(numbers)) == list(range(n))  # each picture once
    for part, own in zip(parts, numbers, strict=True):
        assert (whole.labels[own] == part.labels).all()  # with its label
        assert (np.diff(own) > 0).all()  # in its order

    for part, fraction in zip(parts, fractions, strict=True):
        assert abs(len(part) - fraction * n) < 1

    counts = np.bincount(labels)
    table = np.stack([np.bincount(part.labels, minlength=len(counts)) for part in parts], axis=1)
    sizes = np.array([len(part) for part in parts])
    quotas = counts[:, None] * sizes[None, :] / n
    # Off by rounding, and by what the smallest classes got above their due to be in every part.
    assert np.abs(table - quotas).max() < 2 + len(counts)
    if sizes.min() >= 2 * len(counts):
        assert (table[counts >= len(parts)] >= 1).all()


@given(labels_lists, st.integers(0, 100))
def test_the_division_depends_on_the_seed_alone(labels, seed):
    first, again = (stratified_split(numbered(labels), (0.5, 0.5), seed) for _ in range(2))
    assert [numbers_of(part).tolist() for part in first] == [
        numbers_of(part).tolist() for part in again
    ]


def test_seeds_divide_differently_and_every_picture_can_go_anywhere():
    whole = numbered([0, 1] * 10)
    held_out = [tuple(numbers_of(stratified_split(whole, (0.7, 0.3), s)[1])) for s in range(60)]
    assert len(set(held_out)) > 50
    assert set().union(*held_out) == set(range(20))


def test_fractions_of_thousands_are_exact():
    whole = numbered(np.arange(1000) % 10)
    for validation in range(1, 1000, 37):
        share = validation / 1000
        assert len(stratified_split(whole, (1 - share, share), 0)[1]) == validation


def test_a_rare_class_is_in_every_part():
    whole = numbered([0] * 97 + [1] * 3)
    for part in stratified_split(whole, (0.8, 0.1, 0.1), 0):
        assert np.bincount(part.labels, minlength=2)[1] == 1


def test_a_part_smaller_than_the_number_of_classes_is_still_exact():
    parts = stratified_split(numbered(np.repeat(np.arange(50), 4)), (0.95, 0.05), 0)
    assert [len(part) for part in parts] == [190, 10]


@pytest.mark.parametrize(
    "fractions", [(), (1.0,), (0.5, 0.6), (1.2, -0.2), (0.5, 0.5, 0.0), (0.5, np.nan)]
)
def test_impossible_fractions_are_refused(fractions):
    with pytest.raises(ConfigError, match=r"fractions are .* allowed: two or more"):
        stratified_split(numbered([0, 1] * 10), fractions, 0)


def test_a_part_that_would_be_empty_is_refused():
    with pytest.raises(ConfigError, match=r"3 images divided by \(0\.9, 0\.1\) leave a part empty"):
        stratified_split(numbered([0, 1, 0]), (0.9, 0.1), 0)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=50), st.data())
def test_holding_out_the_last_is_the_slicing_of_the_notes(labels, data):
    n = data.draw(st.integers(1, len(labels) - 1))
    train, held_out = hold_out_last(numbered(labels), n)
    assert (train.labels.tolist(), held_out.labels.tolist()) == (labels[:-n], labels[-n:])
    assert numbers_of(held_out).tolist() == list(range(len(labels)))[-n:]


@pytest.mark.parametrize("n", [0, 4, 5, -1, 1.0, True])
def test_holding_out_none_or_all_is_refused(n):
    with pytest.raises(ConfigError, match=r"n is .*; allowed: a whole number from 1 to 3"):
        hold_out_last(numbered([0, 1, 2, 3]), n)
