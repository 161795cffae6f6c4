import gzip
import shutil
import struct

import numpy as np
import pytest

from convolens.data import load_data
from convolens.errors import ConfigError, DataError


def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    content = head + array.astype(np.uint8).tobytes()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_set(folder, n_train=40, n_test=10, n_classes=4, suffix=".gz"):
    rng = np.random.default_rng(1)
    for part, n in (("train", n_train), ("t10k", n_test)):
        if n:
            images = rng.integers(0, 256, (n, 9, 7), dtype=np.uint8)
            write_idx(folder / f"{part}-images-idx3-ubyte{suffix}", images)
            write_idx(folder / f"{part}-labels-idx1-ubyte{suffix}", np.arange(n) % n_classes)
    return folder


def test_digits_are_those_of_scikit_learn_divided_once_for_all():
    from sklearn.datasets import load_digits

    data = load_data()
    assert [len(split) for split in data.splits.values()] == [1437, 180, 180]
    together = {
        (image.tobytes(), label)
        for split in data.splits.values()
        for image, label in zip(split.images, split.labels.tolist(), strict=True)
    }
    published = load_digits()
    # 0..16 to 0..255 loses nothing: every picture comes back, with its label.
    back = {
        (np.rint(np.frombuffer(image, np.uint8) / 255 * 16).astype(int).tobytes(), label)
        for image, label in together
    }
    assert back == {
        (image.astype(int).tobytes(), label)
        for image, label in zip(published.images, published.target.tolist(), strict=True)
    }
    assert load_data().fingerprint == data.fingerprint
    for split in data.splits.values():
        share = np.bincount(split.labels) / len(split)
        assert np.abs(share - np.bincount(published.target) / 1797).max() < 0.01


def test_digits_are_divided_otherwise_when_asked_to_be():
    usual = load_data("digits")
    other = load_data("digits", seed=5)
    assert other.fingerprint != usual.fingerprint
    assert load_data("digits", **other.options).fingerprint == other.fingerprint
    fold = load_data("digits", folds=5, fold=4, validation_size=100)
    assert [len(split) for split in fold.splits.values()] == [1338, 100, 359]
    assert load_data("digits", size=(6, 4), channels=3).shape == (6, 4, 3)


def test_an_option_that_does_not_exist_is_named():
    with pytest.raises(ConfigError, match="unknown option 'sead' of a data set; did you mean"):
        load_data("digits", sead=5)
    with pytest.raises(ConfigError, match="size"):
        load_data("digits", size="large")


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_folder_of_idx_files(tmp_path, suffix):
    data = load_data(write_set(tmp_path / "shapes", suffix=suffix))
    assert data.name == "shapes"
    assert data.class_names == ("0", "1", "2", "3")
    assert data.source == str(tmp_path / "shapes")
    assert data.shape == (9, 7, 1)
    assert [len(split) for split in data.splits.values()] == [36, 4, 10]
    assert np.bincount(data.validation.labels).tolist() == [1, 1, 1, 1]  # stratified: it is small


def test_a_folder_without_a_test_part(tmp_path):
    data = load_data(str(write_set(tmp_path / "shapes", n_test=0)))
    assert data.test is None


def test_class_names_beside_the_files(tmp_path):
    folder = write_set(tmp_path / "shapes")
    (folder / "classes.txt").write_text(
        "round\nsquare\nlong\nflat\nunseen\n\n", encoding="utf-8-sig"
    )
    assert load_data(folder).class_names == ("round", "square", "long", "flat", "unseen")


@pytest.mark.parametrize("text", ["a\nb\nc", "a\nb\nb\nc", "a\n\nc\nd\ne", "", b"\xff\xfe\xff"])
def test_class_names_that_do_not_fit_are_refused(tmp_path, text):
    folder = write_set(tmp_path / "shapes")
    (folder / "classes.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=r"classes\.txt"):
        load_data(folder)


def test_the_notes_split_and_the_stratified_one(tmp_path):
    folder = write_set(tmp_path / "shapes")
    last = load_data(folder, validation="last", validation_size=7)
    assert last.validation.labels.tolist() == (np.arange(40) % 4)[-7:].tolist()
    drawn = [
        load_data(folder, validation="stratified", validation_size=8, seed=s) for s in (0, 0, 1)
    ]
    assert np.bincount(drawn[0].validation.labels).tolist() == [2, 2, 2, 2]
    assert drawn[0].fingerprint == drawn[1].fingerprint != drawn[2].fingerprint


@pytest.mark.parametrize("size", [0, 40, 41, -1, 2.0])
def test_an_impossible_validation_size_is_refused(tmp_path, size):
    with pytest.raises(ConfigError, match=r"validation_size is .*; allowed: a whole number from 1"):
        load_data(write_set(tmp_path / "shapes"), validation_size=size)


def test_an_unknown_division_is_refused():
    with pytest.raises(
        ConfigError, match="unknown validation 'stratfied'; did you mean 'stratified'"
    ):
        load_data("fashion-mnist", validation="stratfied")


def test_large_training_parts_get_the_split_of_the_notes(tmp_path):
    folder = tmp_path / "large"
    write_idx(folder / "train-images-idx3-ubyte", np.zeros((50_000, 1, 1)))
    write_idx(folder / "train-labels-idx1-ubyte", np.repeat([0, 1], 25_000))
    data = load_data(folder)
    assert (len(data.train), len(data.validation)) == (45_000, 5_000)
    assert (data.validation.labels == 1).all()  # the last, not a sample


def test_names_and_paths_that_lead_nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        load_data("fashion-mnits")
    assert str(caught.value) == (
        "there is no file or folder 'fashion-mnits', and it is no known data set's name; "
        "did you mean 'fashion-mnist'? Allowed: digits, fashion-mnist, mnist, kmnist"
    )
    for name in ("", "a\0b", "x" * 5000):
        with pytest.raises(DataError):
            load_data(name)
    (tmp_path / "data.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"data\.npz: no \.npz file, truncated or damaged"):
        load_data("data.npz")
    (tmp_path / "notes.txt").write_text("no data")
    with pytest.raises(DataError, match=r"notes\.txt is a file of another kind; allowed: a folder"):
        load_data("notes.txt")
    with pytest.raises(DataError, match=r"allowed: .*<class>"):
        load_data(tmp_path)
    with pytest.raises(
        DataError, match=r"cannot be of the type int; allowed: a name, a path, \(X, y\)"
    ):
        load_data(7)


def test_a_name_wins_over_a_folder_and_a_path_does_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_set(tmp_path / "digits")
    assert load_data("digits").n_classes == 10
    assert load_data("./digits").n_classes == 4
    assert load_data(tmp_path / "digits").n_classes == 4


@pytest.mark.parametrize("part", ["train-images", "train-labels", "t10k-images", "t10k-labels"])
def test_a_missing_half_is_named(tmp_path, part):
    folder = write_set(tmp_path / "shapes")
    missing = next(folder.glob(f"{part}*"))
    missing.unlink()
    with pytest.raises(DataError, match=f"missing {missing.stem}"):
        load_data(folder)


def test_images_and_labels_that_do_not_agree_are_refused_by_name(tmp_path):
    folder = write_set(tmp_path / "shapes")
    write_idx(folder / "t10k-labels-idx1-ubyte.gz", np.zeros(9))
    with pytest.raises(
        DataError, match=r"t10k-images-.* holds 10 images but t10k-labels-.* 9 labels"
    ):
        load_data(folder)


def test_swapped_files_are_refused_by_name(tmp_path):
    folder = write_set(tmp_path / "shapes")
    shutil.copy(folder / "train-labels-idx1-ubyte.gz", folder / "train-images-idx3-ubyte.gz")
    with pytest.raises(
        DataError, match=r"train-images-idx3-ubyte\.gz: holds uint8 values of shape \(40,\)"
    ):
        load_data(folder)


def test_a_truncated_file_is_refused_by_name(tmp_path):
    path = write_set(tmp_path / "shapes") / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz: the gzip data ends early"):
        load_data(path.parent)


def test_unpacked_files_without_a_checksum_are_read_by_path_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVOLENS_DATA", str(tmp_path))
    write_set(tmp_path / "mnist", suffix="")
    with pytest.raises(DataError, match=r"is unpacked.*put train-images-idx3-ubyte.gz there"):
        load_data("mnist")
    assert len(load_data(tmp_path / "mnist").splits["test"]) == 10


def test_one_class_or_one_image_is_no_data_set(tmp_path):
    with pytest.raises(DataError, match="all 50 images are of one class"):
        load_data(write_set(tmp_path / "one", n_classes=1))
    with pytest.raises(DataError, match="1 training image cannot be divided"):
        load_data(write_set(tmp_path / "single", n_train=1))


def test_an_option_that_means_nothing_is_refused(tmp_path):
    for source in ("digits", write_set(tmp_path / "shapes")):
        with pytest.raises(ConfigError, match="the option images means nothing to"):
            load_data(source, images="picture")
    x, y = np.zeros((4, 8, 8), np.uint8), [0, 1, 0, 1]
    with pytest.raises(ConfigError, match="group means nothing to arrays; those that do: shape"):
        load_data((x, y), group="patient")
    with pytest.raises(ConfigError, match="groups are for arrays"):
        load_data("digits", groups=y)


def test_arrays_with_groups_and_parts():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (60, 8, 8), dtype=np.uint8), np.arange(60) % 2
    data = load_data((x, y), groups=np.arange(60) // 6, test_size=0.2)
    where = {}
    for name, split in data.splits.items():
        for image in split.images:
            number = int(np.flatnonzero((x == image[..., 0]).all(axis=(1, 2)))[0])
            assert where.setdefault(number // 6, name) == name
    assert len(where) == 10
    parts = load_data({"train": (x[:40], y[:40]), "test": (x[40:], y[40:])})
    assert [len(split) for split in parts.splits.values()] == [36, 4, 20]
