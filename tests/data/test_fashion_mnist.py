"""The real files, against the figures that are known of them."""

import gzip
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from convolens.data import check_data, data_directory, fit_preprocessing, load_data
from convolens.errors import DataError

pytestmark = pytest.mark.fashion

NAMES = (
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
)  # fmt: skip


def refuse(address: str, destination: Path) -> None:
    raise OSError("no network here")


def test_the_published_figures(fashion_mnist):
    train = np.concatenate([fashion_mnist.train.images, fashion_mnist.validation.images])
    labels = np.concatenate([fashion_mnist.train.labels, fashion_mnist.validation.labels])
    test = fashion_mnist.test
    assert train.shape == (60_000, 28, 28, 1)
    assert (train / 255).mean() == pytest.approx(0.286041, abs=5e-7)
    assert (train / 255).std() == pytest.approx(0.353024, abs=5e-7)
    assert (test.images / 255).mean() == pytest.approx(0.286849, abs=5e-7)
    assert (test.images / 255).std() == pytest.approx(0.352444, abs=5e-7)
    assert np.bincount(labels).tolist() == [6_000] * 10
    assert np.bincount(test.labels).tolist() == [1_000] * 10


def test_the_first_labels_and_the_split_of_the_notes(fashion_mnist):
    assert fashion_mnist.train.labels[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]
    assert [len(part) for part in fashion_mnist.splits.values()] == [55_000, 5_000, 10_000]
    first = fashion_mnist.test.labels[:10].tolist()
    assert fashion_mnist.class_names[first[0]] == "Ankle boot"


def test_the_sanity_checks_find_the_near_copies_and_nothing_else(fashion_mnist):
    """Some fifty pictures show the same product twice: each pair was looked at."""
    summary = check_data(fashion_mnist)
    kinds = Counter(problem.kind for problem in summary.problems)
    assert kinds.keys() == {"near_duplicate", "near_duplicate_across_splits"}
    assert 40 <= kinds.total() <= 59
    assert not any(problem.skipped for problem in summary.problems)
    assert summary.n == 70_000
    assert max(map(len, str(summary).splitlines())) <= 80


def test_standardisation_as_in_the_notes(fashion_mnist):
    images = fashion_mnist.train.images
    fitted = fit_preprocessing("per_pixel", images)
    x_train = images[..., 0]
    x_mean, x_std = x_train.mean(axis=0, keepdims=True), x_train.std(axis=0, keepdims=True) + 1e-7
    first = fashion_mnist.test.images[:500]
    wanted = ((first[..., 0] - x_mean) / x_std)[..., np.newaxis]
    np.testing.assert_allclose(fitted(first), wanted, rtol=1e-6, atol=1e-6)


def test_unpacked_files_are_checked_too(tmp_path, monkeypatch):
    source = data_directory() / "fashion-mnist"
    monkeypatch.setenv("CONVOLENS_DATA", str(tmp_path))
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_bytes(gzip.decompress((source / f"{name}.gz").read_bytes()))
    assert len(load_data("fashion-mnist", fetch=refuse).test) == 10_000
    with (folder / NAMES[3]).open("r+b") as file:
        file.seek(100)
        file.write(b"\0\1\2\3")
    with pytest.raises(DataError, match=rf"{NAMES[3]} is not the official file of fashion-mnist"):
        load_data("fashion-mnist", fetch=refuse)


def test_swapped_official_files_are_recognised(tmp_path, monkeypatch):
    source = data_directory() / "fashion-mnist"
    monkeypatch.setenv("CONVOLENS_DATA", str(tmp_path))
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    for name, other in zip(NAMES, (NAMES[2], NAMES[3], NAMES[0], NAMES[1]), strict=True):
        shutil.copyfile(source / f"{other}.gz", folder / f"{name}.gz")
    with pytest.raises(DataError, match=rf"{NAMES[0]}\.gz is not the .*: it is {NAMES[2]}"):
        load_data("fashion-mnist", fetch=refuse)


def test_a_stratified_validation_part(fashion_mnist):
    data = load_data("fashion-mnist", validation="stratified", seed=3, fetch=refuse)
    assert np.bincount(data.validation.labels).tolist() == [500] * 10
