import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from convolens.data.folds import k_folds, sample_indices
from convolens.errors import ConfigError, DataError

label_arrays = st.lists(st.integers(0, 6), min_size=10, max_size=200).map(np.array)


def table_of(labels, part_of):
    table = np.zeros((labels.max() + 1, part_of.max() + 1), dtype=int)
    np.add.at(table, (labels, part_of), 1)
    return table


@given(label_arrays, st.integers(2, 10), st.integers(0, 2**64 - 1))
def test_folds_are_of_one_size_and_stratified(labels, folds, seed):
    fold_of = k_folds(labels, folds, seed)
    sizes = np.bincount(fold_of)
    assert len(sizes) == folds
    assert sizes.max() - sizes.min() <= 1
    counts = np.bincount(labels)
    if sizes.min() >= len(counts):
        in_folds = (table_of(labels, fold_of) > 0).sum(axis=1)
        assert (in_folds[counts >= folds] == folds).all()
    np.testing.assert_array_equal(fold_of, k_folds(labels, folds, seed))


def test_every_class_is_in_proportion_in_every_fold():
    labels = np.repeat(np.arange(5), [500, 250, 100, 50, 23])
    table = table_of(labels, k_folds(labels, 5, 0))
    assert np.abs(table - np.bincount(labels)[:, None] / 5).max() <= 1


def patients(seed):
    """60 people with 2 to 39 pictures each, who differ in what they have."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 40, 60)
    labels = [rng.choice(4, size, p=rng.dirichlet(np.ones(4))) for size in sizes]
    return np.concatenate(labels), np.repeat(np.arange(60), sizes)


def off(labels, fold_of):
    """How far the sizes of folds, and the shares of classes in them, are from the ideal."""
    table = table_of(labels, fold_of)
    sizes = table.sum(axis=0)
    shares = np.bincount(labels) / len(labels)
    return np.abs(sizes - sizes.mean()).max(), np.abs(table / sizes - shares[:, None]).max()


def test_groups_are_kept_about_as_well_as_by_scikit_learn():
    ours, theirs = [], []
    for seed in range(20):
        labels, groups = patients(seed)
        fold_of = k_folds(labels, 5, seed, groups)
        assert all(len(set(fold_of[groups == group].tolist())) == 1 for group in range(60))
        ours.append(off(labels, fold_of))
        peer = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        for number, (_, held_out) in enumerate(peer.split(labels, labels, groups)):
            fold_of[held_out] = number
        theirs.append(off(labels, fold_of))
    our_size, our_share = np.mean(ours, axis=0)
    their_size, their_share = np.mean(theirs, axis=0)
    assert our_size <= their_size  # of 250 pictures a fold: 4 against 8
    assert our_share <= 1.5 * their_share  # 0.026 against 0.021


@pytest.mark.parametrize("folds", [0, 1, 11, 2.0, True])
def test_impossible_numbers_of_folds_are_refused(folds):
    with pytest.raises(ConfigError, match=r"folds is .*; allowed: a whole number from 2 to 10"):
        k_folds(np.arange(10) % 2, folds, 0)


def test_too_few_pictures_or_groups_for_folds():
    with pytest.raises(DataError, match="1 images cannot be divided into folds"):
        k_folds(np.array([0]), 2, 0)
    with pytest.raises(ConfigError, match="10 images in 2 groups cannot be divided into 5 parts"):
        k_folds(np.arange(10) % 2, 5, 0, np.arange(10) // 5)


@given(label_arrays, st.floats(0.01, 1), st.integers(0, 2**64 - 1))
def test_a_sample_has_each_class_in_proportion(labels, fraction, seed):
    chosen = sample_indices(labels, fraction, seed)
    assert (np.diff(chosen) > 0).all()
    counts = np.bincount(labels)
    present = np.flatnonzero(counts)
    kept = np.bincount(labels[chosen], minlength=len(counts))
    assert (kept[present] >= 1).all()
    wanted = max(len(present), len(labels) * fraction)
    assert abs(len(chosen) - wanted) <= 0.5 + 1e-9
    # Classes with less than one picture's share take theirs from the others.
    assert np.abs(kept - counts * len(chosen) / len(labels)).max() < 1 + len(present)
    np.testing.assert_array_equal(chosen, sample_indices(labels, fraction, seed))


def test_a_small_sample_is_not_of_one_class_only():
    labels = np.repeat(np.arange(10), 1000)
    chosen = sample_indices(labels, 0.1, 0)
    assert np.bincount(labels[chosen]).tolist() == [100] * 10
    assert set(chosen.tolist()) != set(sample_indices(labels, 0.1, 1).tolist())
    assert len(sample_indices(labels, 1.0, 0)) == len(labels)
    assert np.bincount(labels[sample_indices(labels, 1e-9, 0)]).tolist() == [1] * 10


@given(label_arrays, st.floats(0.05, 0.95), st.integers(0, 100), st.data())
def test_a_sample_takes_groups_whole(labels, fraction, seed, data):
    groups = np.array(
        data.draw(st.lists(st.integers(0, 20), min_size=len(labels), max_size=len(labels)))
    )
    chosen = sample_indices(labels, fraction, seed, groups)
    assert set(groups[chosen]).isdisjoint(np.delete(groups, chosen))
    assert set(labels[chosen]) == set(labels)


@pytest.mark.parametrize("fraction", [0, -0.5, 1.01, float("nan")])
def test_impossible_samples_are_refused(fraction):
    with pytest.raises(ConfigError, match=r"sample is .*; allowed: above 0, up to 1"):
        sample_indices(np.array([0, 1]), fraction, 0)
