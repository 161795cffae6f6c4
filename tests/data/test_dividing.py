import json
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from convolens.config import from_dict
from convolens.data import Problem, Split, StoredImages, stratified_split
from convolens.data.dividing import Splitting, make_dataset
from convolens.data.manifest import write_split_file
from convolens.data.pool import UNDIVIDED, Pool
from convolens.errors import ConfigError, DataError

TRAIN, VALIDATION, TEST = range(3)


def pool_of(labels, given=UNDIVIDED, **others):
    """Pictures whose pixels say which one they are."""
    labels = np.asarray(labels, dtype=np.int64)
    n = len(labels)
    pixels = np.arange(n, dtype="<u4").view(np.uint8).reshape(n, 1, 4, 1)
    defaults = {
        "name": "toys",
        "source": "by hand",
        "images": pixels,
        "labels": labels,
        "class_names": ("cat", "dog", "eel"),
        "given": np.broadcast_to(np.asarray(given, dtype=np.int64), n),
    }
    return Pool(**(defaults | others))


def numbers_of(split):
    return np.ascontiguousarray(np.asarray(split.images)).reshape(-1, 4).view("<u4")[:, 0].tolist()


def sizes_of(dataset):
    return [len(split) for split in dataset.splits.values()]


def kinds_of(dataset):
    return [(problem.kind, problem.path) for problem in dataset.problems]


def given_parts(train, validation, test):
    return np.repeat([TRAIN, VALIDATION, TEST], [train, validation, test])


def test_an_undivided_set_is_divided_80_10_10_and_stratified():
    labels = np.repeat([0, 1, 2], [100, 60, 40])
    dataset = make_dataset(pool_of(labels))
    assert sizes_of(dataset) == [160, 20, 20]
    for split in dataset.splits.values():
        assert (
            np.bincount(split.labels).tolist() == (np.array([10, 6, 4]) * len(split) // 20).tolist()
        )
    assert (dataset.problems, dataset.options) == ((), {})
    assert sorted(chain.from_iterable(map(numbers_of, dataset.splits.values()))) == list(range(200))
    assert dataset.n_seen == dataset.n_used == 200


def test_digits_divide_as_they_always_did():
    labels = load_digits().target
    pool = pool_of(labels, class_names=tuple("0123456789"))
    parts = stratified_split(Split(pool.images, pool.labels), (0.8, 0.1, 0.1), seed=0)
    assert [len(part) for part in parts] == [1437, 180, 180]
    for split, part in zip(make_dataset(pool).splits.values(), parts, strict=True):
        np.testing.assert_array_equal(split.images, part.images)


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 2), min_size=12, max_size=80),
    st.integers(0, 2**64 - 1),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=5),
    st.sampled_from([{}, {"folds": 3, "fold": 1}, {"test_size": 3}, {"validation_size": 0.3}]),
)
def test_every_picture_is_used_once_with_its_label_and_name(labels, seed, pairs, options):
    names = [f"{number}.png" for number in range(len(labels))]
    pool = pool_of(labels, names=names)
    splitting = Splitting(seed=seed, **options)
    pairs = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    dataset = make_dataset(pool, splitting, pairs)
    where = {}
    for split_name, split in dataset.splits.items():
        numbers = numbers_of(split)
        assert numbers == sorted(numbers)
        assert split.names == [names[number] for number in numbers]
        assert split.labels.tolist() == [labels[number] for number in numbers]
        where |= dict.fromkeys(numbers, split_name)
    assert len(where) == dataset.n_used == len(labels)
    assert all(where[one] == where[other] for one, other in pairs.tolist())
    again = make_dataset(pool, Splitting(**json.loads(json.dumps(dataset.options))), pairs)
    assert again.fingerprint == dataset.fingerprint


def test_sizes_are_counts_or_fractions_of_what_they_are_taken_from():
    labels = np.arange(100) % 2
    sizes = {(20, 30): [50, 20, 30], (0.25, 0.5): [25, 25, 50], (None, 0.2): [70, 10, 20]}
    for (validation, test), expected in sizes.items():
        splitting = Splitting(validation_size=validation, test_size=test)
        assert sizes_of(make_dataset(pool_of(labels), splitting)) == expected
    given = given_parts(80, 0, 20)
    dataset = make_dataset(pool_of(labels, given), Splitting(validation_size=0.25))
    assert sizes_of(dataset) == [60, 20, 20]


def test_a_tiny_set_still_gets_every_split():
    assert sizes_of(make_dataset(pool_of([0, 1, 0]))) == [1, 1, 1]
    assert sizes_of(make_dataset(pool_of([0, 1, 0, 1, 0]))) == [3, 1, 1]


@pytest.mark.parametrize(
    ("n", "given", "message"),
    [
        (1, UNDIVIDED, "1 training image cannot be divided into training and validation and test"),
        (2, UNDIVIDED, "2 training images cannot be divided .* at least 3 are needed"),
        (3, [0, 2, 2], "1 training image cannot be divided into training and validation; at"),
        (4, TEST, "has test, but nothing to train on; name a part train"),
        (4, [1, 1, 2, 2], "has validation and test, but nothing to train on"),
        (4, [-1, 0, 0, 2], "1 images are in no split and 3 are; put each"),
    ],
)
def test_too_little_to_divide(n, given, message):
    with pytest.raises(DataError, match=f"toys: .*{message}") as caught:
        make_dataset(pool_of(np.arange(n) % 2, given))
    assert "\n" not in str(caught.value)


def test_one_class_is_no_data_set():
    with pytest.raises(
        DataError, match=r"all 20 images are of one class, 'cat'; a classifier needs"
    ):
        make_dataset(pool_of([0] * 20, class_names=("cat",)))


def test_a_given_test_part_stays_and_validation_is_taken_from_train():
    labels = np.arange(120) % 3
    dataset = make_dataset(pool_of(labels, given_parts(90, 0, 30)))
    assert sizes_of(dataset) == [81, 9, 30]
    assert numbers_of(dataset.splits["test"]) == list(range(90, 120))
    assert np.bincount(dataset.validation.labels).tolist() == [3, 3, 3]
    assert dataset.problems == ()


@pytest.mark.parametrize(("fair", "last"), [(True, True), (False, False)])
def test_large_fair_training_parts_are_divided_as_in_the_notes(fair, last):
    labels = np.arange(50_100) % 2
    given = given_parts(50_000, 0, 100)
    dataset = make_dataset(pool_of(labels, given, last_is_fair=fair))
    assert sizes_of(dataset) == [45_000, 5_000, 100]
    assert (numbers_of(dataset.validation) == list(range(45_000, 50_000))) == last
    # Copies do not change a division that everybody uses; groups that a user named do.
    copies = np.array([[0, 49_999]])
    again = make_dataset(pool_of(labels, given, last_is_fair=fair), None, copies)
    assert (numbers_of(again.validation) == list(range(45_000, 50_000))) == last
    groups = np.arange(50_100) // 2
    grouped = make_dataset(pool_of(labels, given, last_is_fair=fair, groups=groups))
    numbers = np.array(numbers_of(grouped.validation))
    assert (np.bincount(numbers // 2) % 2 == 0).all()


def test_small_fair_training_parts_are_stratified_as_before():
    labels = np.arange(430) % 3
    pool = pool_of(labels, given_parts(400, 0, 30), last_is_fair=True)
    whole = Split(pool.images[:400], pool.labels[:400])
    train, validation = stratified_split(whole, (0.9, 0.1), seed=7)
    dataset = make_dataset(pool, Splitting(seed=7))
    assert numbers_of(dataset.train) == numbers_of(train)
    assert numbers_of(dataset.validation) == numbers_of(validation)


def test_the_last_on_request():
    labels = np.arange(120) % 3
    splitting = Splitting(validation="last", validation_size=10)
    dataset = make_dataset(pool_of(labels, given_parts(90, 0, 30)), splitting)
    assert numbers_of(dataset.validation) == list(range(80, 90))
    undivided = make_dataset(pool_of(labels), splitting)
    assert sizes_of(undivided) == [98, 10, 12]
    assert min(numbers_of(undivided.validation)) > max(numbers_of(undivided.train))
    with pytest.raises(ConfigError, match="'last', which may divide a group; use 'stratified'"):
        make_dataset(pool_of(labels, groups=np.arange(120) // 2), splitting)


def test_train_and_validation_without_test():
    labels = np.arange(120) % 3
    pool = pool_of(labels, given_parts(90, 30, 0))
    dataset = make_dataset(pool)
    assert (sizes_of(dataset), dataset.test) == ([90, 30], None)
    assert kinds_of(dataset) == [("missing_split", "test")]
    taken = make_dataset(pool, Splitting(test_size=9))
    assert sizes_of(taken) == [81, 30, 9]
    assert numbers_of(taken.validation) == list(range(90, 120))


def test_train_alone_is_all_there_is_unless_it_is_known_to_be_a_shuffled_part():
    labels = np.arange(100) % 2
    dataset = make_dataset(pool_of(labels, TRAIN))
    assert sizes_of(dataset) == [80, 10, 10]
    assert kinds_of(dataset) == [("missing_split", "test")]
    assert dataset.fingerprint == make_dataset(pool_of(labels)).fingerprint
    fair = pool_of(labels, TRAIN, last_is_fair=True)
    assert sizes_of(make_dataset(fair)) == [90, 10]
    assert sizes_of(make_dataset(fair, Splitting(test_size=0.2))) == [70, 10, 20]


def test_all_three_given_are_used_as_they_are():
    labels = np.arange(120) % 3
    pool = pool_of(labels, given_parts(60, 30, 30))
    assert sizes_of(make_dataset(pool)) == [60, 30, 30]
    for options in ({"validation_size": 3}, {"test_size": 0.1}, {"validation": "last"}):
        name = next(iter(options))
        with pytest.raises(
            ConfigError, match=f"{name} is .*, but toys comes with a .* leave {name}"
        ):
            make_dataset(pool, Splitting(**options))


def test_contiguous_splits_share_memory_and_others_are_contiguous():
    labels = np.arange(120) % 3
    pool = pool_of(labels, given_parts(60, 30, 30))
    dataset = make_dataset(pool)
    assert all(np.shares_memory(split.images, pool.images) for split in dataset.splits.values())
    backwards = pool_of(labels, images=pool.images[::-1])
    for split in make_dataset(backwards).splits.values():
        assert split.images.flags.c_contiguous


def test_stored_pictures_stay_on_disk():
    pool = pool_of(np.arange(50) % 2)
    stored = pool_of(pool.labels, images=StoredImages(pool.images))
    dataset = make_dataset(stored)
    assert all(isinstance(split.images, StoredImages) for split in dataset.splits.values())
    assert dataset.fingerprint == make_dataset(pool).fingerprint


def test_groups_and_duplicates_stay_on_one_side():
    rng = np.random.default_rng(0)
    labels, groups = rng.integers(0, 3, 300), rng.integers(0, 60, 300)
    copies = rng.integers(0, 300, (10, 2))
    dataset = make_dataset(pool_of(labels, groups=groups), None, copies)
    side = np.empty(300, dtype=int)
    for number, split in enumerate(dataset.splits.values()):
        side[numbers_of(split)] = number
    assert all(len(set(side[groups == group].tolist())) == 1 for group in set(groups.tolist()))
    assert (side[copies[:, 0]] == side[copies[:, 1]]).all()
    apart = make_dataset(
        pool_of(labels, groups=groups), Splitting(keep_duplicates_together=False), copies
    )
    assert apart.options == {"keep_duplicates_together": False}
    assert apart.fingerprint == make_dataset(pool_of(labels, groups=groups)).fingerprint


def test_given_splits_that_divide_a_group_are_refused():
    labels = np.arange(6) % 2
    names = list("abcdef")
    groups = np.array([0, 0, 1, 2, 1, 3])
    with pytest.raises(
        DataError, match=r"contradict each other: 'c' \(train\) and 'e' \(test\) are"
    ):
        make_dataset(pool_of(labels, given_parts(4, 0, 2), groups=groups, names=names))


def test_folds_hold_each_picture_out_once():
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    held_out = []
    for fold in range(5):
        dataset = make_dataset(pool_of(labels), Splitting(folds=5, fold=fold, seed=3))
        assert sizes_of(dataset) == [72, 8, 20]
        assert np.bincount(dataset.splits["test"].labels).tolist() == [10, 6, 4]
        held_out += numbers_of(dataset.splits["test"])
    assert sorted(held_out) == list(range(100))


def test_folds_leave_a_given_test_part_alone_and_say_so():
    labels = np.arange(120) % 3
    pool = pool_of(labels, given_parts(60, 30, 30))
    tested = []
    for fold in range(3):
        dataset = make_dataset(pool, Splitting(folds=3, fold=fold, validation_size=6))
        assert sizes_of(dataset) == [54, 6, 30]
        assert kinds_of(dataset) == [("not_in_sample", "test")]
        tested += numbers_of(dataset.splits["test"])
    assert sorted(tested) == list(range(90))


def test_a_sample_is_part_of_each_split_of_the_whole():
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    whole = make_dataset(pool_of(labels))
    sample = make_dataset(pool_of(labels), Splitting(sample=0.1))
    assert sizes_of(sample) == [80, 10, 10]
    for name, split in sample.splits.items():
        assert set(numbers_of(split)) <= set(numbers_of(whole.splits[name]))
        assert (
            np.bincount(split.labels).tolist() == (np.array([6, 3, 1]) * len(split) // 10).tolist()
        )
    assert kinds_of(sample) == [("not_in_sample", name) for name in ("train", "validation", "test")]
    assert "80 of 800 images are used" in sample.problems[0].reason
    assert sample.options == {"sample": 0.1}
    assert (sample.n_seen, sample.n_skipped) == (1000, 900)


def test_a_split_file_makes_the_same_division_again(tmp_path):
    labels = np.arange(60) % 3
    for number, names in enumerate(([f"{n}.png" for n in range(60)], None)):
        file = tmp_path / f"split-{number}.csv"
        first = make_dataset(pool_of(labels, names=names), Splitting(seed=5))
        write_split_file(file, first)
        again = make_dataset(pool_of(labels, names=names), Splitting(split_file=file))
        assert again.fingerprint == first.fingerprint
        assert (again.problems, again.options) == ((), {"split_file": str(file)})
        # The file goes before what the source says.
        other = make_dataset(pool_of(labels, TEST, names=names), Splitting(split_file=file))
        assert other.fingerprint == first.fingerprint


def test_a_split_file_that_no_longer_fits(tmp_path):
    file = tmp_path / "split.csv"
    names = [f"{n}.png" for n in range(60)]
    write_split_file(file, make_dataset(pool_of(np.arange(60) % 3, names=names)))
    broken = Problem(kind="damaged", path="3.png", reason="cut short", skipped=True)
    now = [*(name for name in names if name not in ("3.png", "4.png")), "new.png", "newer.png"]
    pool = pool_of(np.arange(60) % 3, names=now, problems=(broken,))
    dataset = make_dataset(pool, Splitting(split_file=file))
    assert kinds_of(dataset) == [
        ("damaged", "3.png"),
        ("not_in_split_file", "new.png"),
        ("not_in_split_file", "newer.png"),
        ("missing_file", "4.png"),
    ]
    assert (dataset.n_used, dataset.n_seen) == (58, 62)
    with pytest.raises(DataError, match=r"60 of the images that it names are not in the data"):
        make_dataset(pool_of(np.arange(60) % 3), Splitting(split_file=file))


def test_a_split_file_without_validation_has_it_taken_from_train(tmp_path):
    rows = [f"{n}.png,{'train' if n < 40 else 'test'}\n" for n in range(60)]
    file = tmp_path / "split.csv"
    file.write_text("name,split\n" + "".join(rows), encoding="utf-8")
    pool = pool_of(np.arange(60) % 3, names=[f"{n}.png" for n in range(60)])
    assert sizes_of(make_dataset(pool, Splitting(split_file=file))) == [36, 4, 20]
    file.write_text("name,split\n" + "".join(rows[40:]), encoding="utf-8")
    with pytest.raises(DataError, match="has test, but nothing to train on"):
        make_dataset(pool, Splitting(split_file=file))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation_size": 100}, "validation_size is 100; allowed: a whole number from 1 to 89"),
        ({"test_size": 99}, "test_size is 99; allowed: a whole number from 1 to 98"),
        (
            {"test_size": 0.6, "validation_size": 0.6},
            r"validation_size \(0.6 of 100 images\) is 60",
        ),
        ({"folds": 101, "fold": 0}, "folds is 101; allowed: a whole number from 2 to 100"),
    ],
)
def test_sizes_beyond_the_set_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        make_dataset(pool_of(np.arange(100) % 2), Splitting(**options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed is -1; allowed: a whole number"),
        ({"validation": "stratfied"}, "unknown validation 'stratfied'; did you mean 'stratified'"),
        ({"validation_size": 0}, "validation_size is 0; allowed: a whole number from 1, or a frac"),
        ({"validation_size": 2.0}, "validation_size is 2.0; allowed: a whole number from 1"),
        ({"test_size": True}, "test_size is True; allowed"),
        ({"test_size": float("nan")}, "test_size is nan; allowed"),
        ({"test_size": "3"}, "test_size is '3'; allowed"),
        ({"sample": 0}, "sample is 0; allowed: above 0, up to 1"),
        ({"sample": "half"}, "sample is 'half'; allowed: above 0, up to 1"),
        ({"folds": 5}, "folds is 5 and fold is None; give both"),
        ({"fold": 0}, "folds is None and fold is 0; give both"),
        ({"folds": 1, "fold": 0}, "folds is 1; allowed: a whole number from 2"),
        ({"folds": 5, "fold": -1}, "fold is -1; allowed: a whole number from 0 to 4"),
        ({"folds": 5, "fold": 1, "test_size": 3}, "folds and test_size both say"),
        ({"folds": 5, "fold": 1, "split_file": "a.csv"}, "folds and split_file both say"),
    ],
)
def test_settings_that_cannot_be_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        Splitting(**options)


def test_settings_come_back_from_json_equal():
    settings_made = Splitting(
        seed=2**64 - 1, validation_size=0.2, test_size=np.int64(30), sample=0.5,
        split_file=Path("a") / "b.csv", keep_duplicates_together=False,
    )  # fmt: skip
    options = json.loads(json.dumps(settings_made.options()))
    assert Splitting(**options) == from_dict(Splitting, options) == settings_made
    assert "validation" not in options
