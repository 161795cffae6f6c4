"""The doctor finds every planted fault, where it is, and nothing else."""

import numpy as np
import pytest

from convolens.data import Dataset, Problem, Split, check_data
from convolens.data.health import bad_share, refuse_bad
from convolens.errors import ConfigError, DataError

SIDE = 32


@pytest.fixture
def images():
    """Ninety pictures of coarse noise: no two alike, none blank."""
    coarse = np.random.default_rng(0).integers(0, 200, (90, 8, 8, 3), dtype=np.uint8)
    return coarse.repeat(SIDE // 8, axis=1).repeat(SIDE // 8, axis=2)


def dataset(images, *, labels=None, names=None, problems=()):
    """Sixty, fifteen and fifteen pictures, of three classes in turn."""
    labels = np.arange(90) % 3 if labels is None else labels
    cuts = (slice(0, 60), slice(60, 75), slice(75, 90))
    train, validation, test = (
        Split(images[cut], labels[cut].astype(np.int64), None if names is None else names[cut])
        for cut in cuts
    )
    return Dataset("x", train, validation, test, ("ant", "bee", "cat"), "x.npz", problems=problems)


def found(data):
    return [(problem.kind, problem.path, problem.reason) for problem in check_data(data).problems]


def nearly(picture):
    return (picture * 0.9 + 12).astype(np.uint8)


def test_nothing_is_wrong_with_good_data(images):
    assert found(dataset(images)) == []


def test_every_kind_of_copy_is_found_where_it_is(images):
    images[9] = images[3]  # the same class, the same split
    images[10] = images[3]  # another class
    images[63] = images[6]  # the same class, another split
    images[80] = images[6]  # another class, another split
    images[15] = nearly(images[12])
    images[61] = images[12] // 2  # another class, another split
    assert found(dataset(images)) == [
        ("duplicate_across_splits", "validation[3]", "is the same picture as train[6]"),
        (
            "near_duplicate_across_splits",
            "validation[1]",
            "is nearly the same picture as train[12], but labelled bee, not ant",
        ),
        (
            "contradictory_labels",
            "train[10]",
            "is the same picture as train[3], but labelled bee, not ant",
        ),
        (
            "contradictory_labels",
            "test[5]",
            "is the same picture as train[6], but labelled cat, not ant",
        ),
        ("duplicate", "train[9]", "is the same picture as train[3]"),
        ("near_duplicate", "train[15]", "is nearly the same picture as train[12]"),
    ]


def test_a_burst_is_one_problem_a_picture_and_leaks_are_preferred(images):
    images[3:15:3] = [nearly(images[0]), images[0] // 2, images[0] // 3 + 9, images[0] // 4 * 3]
    images[75] = nearly(images[0])
    problems = found(dataset(images))
    assert [path for kind, path, _ in problems if kind == "near_duplicate"] == [
        "train[3]", "train[6]", "train[9]", "train[12]",
    ]  # fmt: skip
    assert [path for kind, path, _ in problems if "across" in kind] == ["test[0]"]


def test_names_are_used_where_there_are_any(images):
    images[62] = images[2]
    images[4] = 0
    names = [f"{'abc'[n % 3]}/{n}.png" for n in range(90)]
    assert found(dataset(images, names=names)) == [
        ("duplicate_across_splits", "c/62.png", "is the same picture as c/2.png (in train)"),
        ("blank_image", "b/4.png", "every pixel is (0, 0, 0)"),
    ]


def test_blank_pictures_are_blank_and_nothing_more(images):
    rng = np.random.default_rng(1)
    images[5] = images[65] = 255
    images[7] = np.rint(rng.normal(90, 1, images[7].shape)).astype(np.uint8)
    images[8] = images[8] // 12  # dark, but something is there
    assert found(dataset(images)) == [
        ("blank_image", "train[5]", "every pixel is (255, 255, 255)"),
        ("blank_image", "train[7]", "nearly every pixel is about (90, 90, 90)"),
        ("blank_image", "validation[5]", "every pixel is (255, 255, 255)"),
    ]


def test_missing_small_and_unequal_classes(images):
    labels = np.zeros(90, dtype=np.int64)
    labels[:4] = 1
    labels[4] = labels[60] = labels[75] = labels[76] = 2
    labels[61] = 1
    assert found(dataset(images, labels=labels)) == [
        ("missing_class", "test", "holds no image of class 1 (bee)"),
        ("small_class", "bee", "has 4 training images; fewer than 10 are few to learn from"),
        ("small_class", "cat", "has 1 training image; fewer than 10 are few to learn from"),
        (
            "class_imbalance",
            "train",
            "ant has 55 training images, cat 1: 55 times as many",
        ),
    ]


def test_what_reading_found_is_kept_in_order_of_gravity(images):
    images[0] = 0
    problems = (
        Problem(kind="animation", path="a.gif", reason="has 3 frames", skipped=False),
        Problem(kind="other_file", path="a.txt", reason="is text", skipped=True),
        Problem(kind="damaged", path="a.jpg", reason="is cut off", skipped=True),
    )
    summary = check_data(dataset(images, problems=problems))
    kinds = ["damaged", "other_file", "blank_image", "animation"]
    assert [problem.kind for problem in summary.problems] == kinds
    assert list(summary.kinds) == kinds
    assert (summary.seen, summary.used, summary.skipped) == (92, 90, 2)


def test_findings_say_where_their_pictures_are(images):
    images[62] = images[2]
    images[76] = 0
    summary = check_data(dataset(images))
    places = {finding.problem.kind: finding.pictures for finding in summary.findings}
    assert places == {
        "duplicate_across_splits": (("validation", 2), ("train", 2)),
        "blank_image": (("test", 1),),
    }


def bad(n, kind="damaged"):
    return tuple(
        Problem(kind=kind, path=f"a/{index}.jpg", reason="is cut off", skipped=True)
        for index in range(n)
    )


def test_only_bad_files_count_as_bad(images):
    harmless = (*bad(500, "other_file"), *bad(70, "not_in_sample"))
    assert bad_share(dataset(images, problems=harmless)) == 0
    assert bad_share(dataset(images, problems=(*harmless, *bad(10)))) == 0.1


def test_too_many_bad_files_are_refused_in_one_line(images):
    data = dataset(images, problems=(*bad(3, "empty_file"), *bad(7)))
    refuse_bad(data, 0.1)
    with pytest.raises(DataError) as caught:
        refuse_bad(data, 0.05)
    assert str(caught.value) == (
        "x: 10 of 100 files are bad (10 %; allowed: 5 %): 3 empty_file, 7 damaged; the first is "
        "a/0.jpg: is cut off; see all with `convolens data x.npz` and mend them, or raise --max-bad"
    )


@pytest.mark.parametrize("limit", [-0.1, 1.5, float("nan"), True])
def test_an_impossible_limit_is_refused(images, limit):
    with pytest.raises(ConfigError, match=r"max_bad is .*; allowed: a share, 0 to 1"):
        refuse_bad(dataset(images), limit)
