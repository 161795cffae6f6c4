import io
import pickle
import struct
import zipfile

import numpy as np
import pytest

from convolens.data.npz import read_npz
from convolens.errors import ConfigError, DataError

RNG = np.random.default_rng(0)


def images(n=6, *shape):
    return RNG.integers(0, 256, (n, *(shape or (4, 5))), dtype=np.uint8)


def labels(n=6):
    return np.arange(n) % 3


def saved(folder, **arrays):
    np.savez(folder / "set.npz", **arrays)
    return folder / "set.npz"


def npy(array):
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def zipped(folder, compression=zipfile.ZIP_STORED, **members):
    path = folder / "set.npz"
    with zipfile.ZipFile(path, "w", compression) as archive:
        for key, content in members.items():
            archive.writestr(f"{key}.npy", content)
    return path


def promising(shape, descr="|u1", content=b""):
    """A member whose head promises more than there is."""
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + content


def refused(path, message, **options):
    with pytest.raises(DataError, match=message) as caught:
        read_npz(path, **options)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "Y_train", "X_test", "Y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("images_train", "labels_train", "images_test", "labels_test"),
        ("trainX", "trainY", "testX", "testY"),
        ("train-data", "train-target", "testing-data", "testing-target"),
    ],
)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_divided_sets_by_the_usual_names(tmp_path, names, save):
    arrays = images(), labels(), images(3), labels(3)
    save(tmp_path / "shapes.npz", **dict(zip(names, arrays, strict=True)))
    pool = read_npz(tmp_path / "shapes.npz")
    assert (pool.name, pool.source) == ("shapes", str(tmp_path / "shapes.npz"))
    np.testing.assert_array_equal(pool.images[..., 0], np.concatenate([arrays[0], arrays[2]]))
    np.testing.assert_array_equal(pool.labels, np.concatenate([arrays[1], arrays[3]]))
    assert pool.given.tolist() == [0] * 6 + [2] * 3
    assert [pool.names[5], pool.names[6]] == ["train[5]", "test[0]"]


@pytest.mark.parametrize("key", ["val", "valid", "validation", "dev"])
def test_medmnists_layout(tmp_path, key):
    arrays = {}
    for split, n in (("train", 6), (key, 3), ("test", 3)):
        arrays |= {f"{split}_images": images(n, 4, 4, 3), f"{split}_labels": labels(n)[:, None]}
    pool = read_npz(saved(tmp_path, **arrays))
    assert pool.given.tolist() == [0] * 6 + [1] * 3 + [2] * 3
    assert pool.images.shape == (12, 4, 4, 3)


@pytest.mark.parametrize(
    ("x", "y"),
    [("images", "labels"), ("x", "y"), ("X", "y"), ("data", "target"), ("data", "targets"),
     ("image", "label"), ("arr_0", "arr_1")],
)  # fmt: skip
def test_undivided_sets_by_the_usual_names(tmp_path, x, y):
    kept = images()
    pool = read_npz(saved(tmp_path, other=np.zeros(99), **{x: kept, y: labels()}))
    np.testing.assert_array_equal(pool.images[..., 0], kept)
    assert pool.given.tolist() == [-1] * 6
    assert pool.names[2] == "[2]"


def test_arrays_named_by_options(tmp_path):
    path = saved(tmp_path, pics=images(), kinds=labels(), x_train=images(2), y_train=labels(2))
    assert len(read_npz(path, images="pics", labels="kinds").labels) == 6
    assert len(read_npz(path).labels) == 2
    refused(path, "no array 'pisc'; did you mean 'pics'", images="pisc", labels="kinds")
    with pytest.raises(ConfigError, match="name images= and labels= together"):
        read_npz(path, images="pics")


def test_class_names_and_groups_are_used(tmp_path):
    names = np.array(["cat", "dog", "emu"])
    groups = np.array([b"p", b"q", b"p", b"q", b"q", b"q"])
    path = saved(tmp_path, x=images(), y=labels(), class_names=names, groups=groups)
    pool = read_npz(path)
    assert pool.class_names == ("cat", "dog", "emu")
    assert pool.groups.tolist() == [0, 1, 0, 1, 1, 1]
    assert read_npz(path, class_names=["a", "b", "c"]).class_names == ("a", "b", "c")
    divided = saved(
        tmp_path, x_train=images(), y_train=labels(), train_groups=groups,
        x_test=images(2), y_test=labels(2), Classes=names.astype("S"),
    )  # fmt: skip
    assert read_npz(divided).class_names == ("cat", "dog", "emu")
    assert len(set(read_npz(divided).groups.tolist())) == 4
    of_rows = saved(tmp_path, images=images(3), classes=np.array(["b", "a", "b"]))
    assert read_npz(of_rows, images="images", labels="classes").class_names == ("a", "b")


def test_options_reach_the_arrays(tmp_path):
    flat = RNG.integers(0, 17, (4, 12)).astype(float)
    path = saved(tmp_path, data=flat, target=np.array(["a", "b", "a", "b"]))
    pool = read_npz(path, shape=(2, 2, 3), value_range=(0, 16), size=4, channels=1, fit="stretch")
    assert pool.images.shape == (4, 4, 4, 1)
    assert pool.fit == "stretch"
    refused(path, r"images of shape \(4, 12\): flat rows need shape=")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("kind", "scale"), [("u2", 257), ("i4", 1), ("f4", 1 / 255)])
@pytest.mark.parametrize("arrange", [np.ascontiguousarray, np.asfortranarray])
def test_other_machines_byte_orders_and_axis_orders(tmp_path, order, kind, scale, arrange):
    x = images(3, 2, 3)
    scaled = arrange((x.astype(float) * scale).astype(order + kind))
    path = saved(tmp_path, x=scaled, y=labels(3).astype(f"{order}i8"))
    np.testing.assert_array_equal(read_npz(path).images[..., 0], x)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["x_train", "y_train", "X_train"], "'x_train' and 'X_train' are both images"),
        (["images", "data", "labels"], "'images' and 'data' are both images"),
        (["x_val", "y_val", "x_valid", "y_valid"], "are both images"),
        (["x_train", "y_train", "x_test"], "'x_test' has no labels"),
        (["y_train"], "'y_train' has no images"),
        (["x", "y", "x_train", "y_train"], "a divided and an undivided set"),
        (["x_train", "y_train", "groups"], "a divided and an undivided set"),
        (["groups"], "'groups' has no images"),
        (["a", "b"], "no arrays of the usual names, such as x_train and y_train"),
        (["arr_0"], "no arrays of the usual names"),
        (["arr_0", "arr_1", "arr_2"], "no arrays of the usual names"),
        ([], "no arrays of the usual names"),
    ],
)
def test_what_is_not_clear_is_said_with_all_names_and_shapes(tmp_path, keys, message):
    path = saved(tmp_path, **{key: images(6, 2, 2) for key in keys})
    refused(path, rf"{message}.*name one pair by images= and labels=")
    for key in keys:
        refused(path, rf"There are: .*'{key}' \(6, 2, 2\)")


def test_python_objects_are_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    path = saved(tmp_path, x=images(1), y=np.array([Trap()], dtype=object))
    refused(path, r"'y' holds Python objects, .* pickle .*\.astype\(str\)")
    names = saved(tmp_path, x=images(1), y=[0], class_names=np.array(["a"], dtype=object))
    refused(names, "'class_names' holds Python objects")
    plain = tmp_path / "plain.npz"
    plain.write_bytes(pickle.dumps(Trap()))
    refused(plain, r"no \.npz file")
    unwanted = saved(tmp_path, x=images(2), y=[0, 1], extra=np.array([Trap()], dtype=object))
    assert len(read_npz(unwanted).labels) == 2


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (promising((10**13,)), "takes 9,313.2 GiB; at most 8.0 GiB are read .*raise max_bytes"),
        (promising((10**9,)), "promises 1,000,000,000 bytes of values, but there are 0"),
        (promising((6, 2, 2), content=bytes(23)), "promises 24 bytes of values, but there are 23"),
        (promising((6, 2, 2), content=bytes(25)), "promises 24 bytes of values, but there are 25"),
        (promising((-2, -3), content=bytes(6)), "truncated or damaged"),
        (promising((10**9, 10**9), "|S0"), "GiB; at most"),
        (promising((6, 2, 2), "|x9"), "truncated or damaged"),
        (promising("'a'"), "truncated or damaged"),
        (promising("(1,"), "truncated or damaged"),
        (b"\x93NUMPY\x01\x00", "truncated or damaged"),
        (b"\x93NUMPY\x09\x00" + bytes(30), "truncated or damaged"),
        (b"", "truncated or damaged"),
        (b"hello", "truncated or damaged"),
    ],
)
def test_members_that_lie_are_refused_before_they_are_read(tmp_path, member, message):
    refused(zipped(tmp_path, x=member, y=npy(labels())), message)


def test_a_bomb_is_refused_by_its_size(tmp_path):
    big = promising((2**26,), content=bytes(2**26))
    path = zipped(tmp_path, zipfile.ZIP_DEFLATED, x=big, y=npy(labels()))
    assert path.stat().st_size < 2**18
    refused(path, r"'x' of shape \(67108864,\) takes 0.1 GiB; at most 0.0 GiB", max_bytes=2**20)
    path = saved(tmp_path, x=images(6, 10, 10), y=labels())
    refused(path, "'y' of shape", max_bytes=600)  # the limit is for all of them together
    assert len(read_npz(path, max_bytes=648).labels) == 6
    with pytest.raises(ConfigError, match="max_bytes is 0"):
        read_npz(path, max_bytes=0)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_file_cut_anywhere_is_refused(tmp_path, save):
    path = tmp_path / "set.npz"
    save(path, x=images(6, 20, 20), y=labels())
    content = path.read_bytes()
    for tenth in range(10):
        path.write_bytes(content[: len(content) * tenth // 10])
        refused(path, "no .npz file, truncated or damaged")


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_changed_byte_is_found(tmp_path, compression):
    path = zipped(tmp_path, compression, x=npy(images(6, 20, 20)), y=npy(labels()))
    content = bytearray(path.read_bytes())
    content[1500] ^= 255
    path.write_bytes(content)
    refused(path, "'x': .*damaged")


def test_encrypted_and_doubled_members_and_strange_names(tmp_path):
    path = zipped(tmp_path, x=npy(images()), y=npy(labels()))
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the flag in the local head, and in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    refused(path, "'x' is encrypted")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", npy(images()))
        archive.writestr("z.npy", npy(images()))
    path.write_bytes(path.read_bytes().replace(b"z.npy", b"x.npy"))
    refused(path, "'x' is there twice")
    refused(zipped(tmp_path, **{"a\nb" * 999: npy(labels())}), r"There are: 'a\\nba")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", npy(images()))
        archive.writestr("y.npy", npy(labels()))
        archive.writestr("README.txt", "not an array")
    assert len(read_npz(path).labels) == 6


def test_what_is_no_file_is_said(tmp_path):
    refused(tmp_path / "none.npz", "does not exist")
    refused(tmp_path, "cannot be read")
    (tmp_path / "a.npz").write_bytes(npy(images()))
    refused(tmp_path / "a.npz", "no .npz file")


def test_counts_that_differ_are_said_with_the_file(tmp_path):
    path = saved(tmp_path, x_train=images(6), y_train=labels(5))
    refused(path, "train 6 images with 5 labels; each image needs exactly one")


def test_the_file_is_left_as_it_is(tmp_path):
    path = saved(tmp_path, x=images(), y=labels())
    before = path.read_bytes()
    read_npz(path)
    assert path.read_bytes() == before
