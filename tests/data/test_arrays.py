import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from convolens.data.array_pictures import PictureList, Target
from convolens.data.array_values import PixelScale
from convolens.data.arrays import RowNames, pool_from_arrays
from convolens.data.geometry import LONGEST_SIDE
from convolens.data.pool import UNDIVIDED
from convolens.errors import ConfigError, DataError
from convolens.images import fit_image, load_image


def pool_of(x, y=None, **options):
    labels = [row % 2 for row in range(len(x))] if y is None else y
    return pool_from_arrays({None: (x, labels)}, **options)


def said(pool):
    return [(problem.path, problem.kind, problem.skipped) for problem in pool.problems]


shapes = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6), st.sampled_from([1, 3]))
pictures = shapes.flatmap(lambda shape: hnp.arrays(np.uint8, shape))

LAYOUTS = {
    "last": lambda x: (x, {}),
    "no channel axis": lambda x: (x[..., 0] if x.shape[3] == 1 else x, {}),
    "first": lambda x: (np.moveaxis(x, 3, 1), {"channels_first": True}),
    "first, a copy": lambda x: (np.moveaxis(x, 3, 1).copy(), {"channels_first": True}),
    "flat": lambda x: (x.reshape(len(x), -1), {"shape": x.shape[1:]}),
    "flat, first": lambda x: (
        np.moveaxis(x, 3, 1).reshape(len(x), -1),
        {"shape": x.shape[1:], "channels_first": True},
    ),
    "Fortran order": lambda x: (np.asfortranarray(x), {}),
    "flat, Fortran order": lambda x: (
        np.asfortranarray(x.reshape(len(x), -1)),
        {"shape": x.shape[1:]},
    ),
    "backwards": lambda x: (x[::-1].copy()[::-1], {}),
    "tensor": lambda x: (torch.from_numpy(x), {}),
    "tensor, first": lambda x: (torch.from_numpy(x).permute(0, 3, 1, 2), {"channels_first": True}),
    "nested lists": lambda x: (x.tolist(), {}),
    "list of arrays": lambda x: (list(x), {}),
    "list of tensors": lambda x: (list(torch.from_numpy(x)), {}),
    "list of Pillow images": lambda x: (
        [Image.fromarray(p[..., 0] if p.shape[2] == 1 else p) for p in x],
        {},
    ),
}


@settings(max_examples=150)
@given(st.sampled_from(list(LAYOUTS)), pictures)
def test_bytes_come_back_as_they_are_from_every_layout(layout, x):
    arranged, options = LAYOUTS[layout](x)
    pool = pool_of(arranged, **options)
    np.testing.assert_array_equal(pool.images, x)
    assert pool.images.dtype == np.uint8
    assert pool.images.flags.c_contiguous
    assert list(pool.names) == [f"[{row}]" for row in range(len(x))]
    assert said(pool) == []


SCALES = {
    "float16": (lambda x: (x / 255).astype(np.float16), {}),
    "float32": (lambda x: (x / 255).astype(np.float32), {}),
    "float64": (lambda x: x / 255, {}),
    "big-endian float64": (lambda x: (x / 255).astype(">f8"), {}),
    "requires_grad": (lambda x: torch.from_numpy(x / 255).requires_grad_(), {}),
    "uint16": (lambda x: x.astype(np.uint16) * 257, {}),
    "big-endian uint16": (lambda x: x.astype(">u2") * 257, {}),
    "int64": (lambda x: x.astype(np.int64), {}),
    "int16": (lambda x: x.astype(np.int16), {}),
    "floats of 0..255": (lambda x: x.astype(np.float32), {"value_range": (0, 255)}),
    "-1..1": (lambda x: x / 127.5 - 1, {"value_range": (-1, 1)}),
    "percent": (lambda x: x / 2.55, {"value_range": (0, 100)}),
    "uint16 of 0..255": (lambda x: x.astype(np.uint16), {"value_range": [0, 255]}),
    "bytes of 0..255": (lambda x: x, {"value_range": (0, 255)}),
}


@settings(max_examples=100)
@given(st.sampled_from(list(SCALES)), pictures)
def test_every_scale_becomes_the_same_bytes(scale, x):
    convert, options = SCALES[scale]
    np.testing.assert_array_equal(pool_of(convert(x), **options).images, x)
    np.testing.assert_array_equal(pool_of(list(convert(x)), **options).images, x)


@given(hnp.arrays(np.float32, (3, 4, 4, 1), elements=st.floats(0, 1, width=32)))
def test_floats_become_what_the_reader_of_single_pictures_makes_of_them(x):
    one_by_one = np.stack([load_image(picture) for picture in x])
    np.testing.assert_array_equal(pool_of(x).images, one_by_one)


def test_booleans_are_black_and_white():
    x = np.array([[[True, False]], [[False, False]]])
    assert pool_of(x).images[..., 0].tolist() == [[[255, 0]], [[0, 0]]]


def test_scikit_learns_digits_as_they_come():
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    pool = pool_of(x, y, shape=(8, 8), value_range=(0, 16))
    assert pool.class_names == tuple("0123456789")
    np.testing.assert_array_equal(pool.labels, y)
    np.testing.assert_array_equal(pool.images.reshape(-1, 64), np.rint(x * 255 / 16))
    with pytest.raises(DataError, match=r"float pixels from 0 to 16; .*value_range=\(0, 16\)"):
        pool_of(x, y, shape=(8, 8))


def test_a_large_array_is_never_copied_as_floats():
    import tracemalloc

    x = np.ones((400, 128, 128, 1), np.float32)
    tracemalloc.start()
    pool = pool_of(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pool.images.min() == 255
    assert peak < 8 * x.size  # what a float64 copy alone would take


def test_bytes_that_need_no_change_are_shared_and_nothing_is_changed():
    x = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4, 1)
    assert np.shares_memory(pool_of(x).images, x)
    floats = np.array([[[0.0, 0.25]], [[np.nan, 1.0]]])
    before = floats.copy()
    pool_of(floats)
    np.testing.assert_array_equal(floats, before)


def test_parts_come_in_one_order_with_names_and_splits():
    grey = np.zeros((2, 2, 2), np.uint8)
    parts = {
        None: (grey + 3, ["b", "a"]),
        "test": (grey + 2, ["a", "a"]),
        "train": (grey, ["c", ""]),
    }
    pool = pool_from_arrays(parts, name="mine")
    assert pool.name == "mine"
    assert pool.images[:, 0, 0, 0].tolist() == [0, 2, 2, 3, 3]
    assert pool.given.tolist() == [0, 2, 2, UNDIVIDED, UNDIVIDED]
    assert list(pool.names) == ["train[0]", "test[0]", "test[1]", "[0]", "[1]"]
    assert [pool.class_names[label] for label in pool.labels] == ["c", "a", "a", "b", "a"]
    assert said(pool) == [("train[1]", "missing_label", True)]


@given(
    hnp.arrays(np.float64, (6, 2, 2, 1), elements=st.sampled_from([0.0, 0.5, 1.0, np.nan, np.inf])),
    st.lists(st.sampled_from(["a", "b", ""]), min_size=6, max_size=6),
    st.booleans(),
)
def test_every_row_is_either_used_or_skipped_with_one_reason(x, y, as_list):
    usable = np.isfinite(x).all(axis=(1, 2, 3)) & np.array([bool(label) for label in y])
    if not usable.any():
        with pytest.raises(DataError, match="none of 6 pictures can be used: "):
            pool_of(x, y)
        return
    pool = pool_of(list(x) if as_list else x, y)
    np.testing.assert_array_equal(pool.images, np.rint(x[usable] * 255))
    assert [pool.class_names[label] for label in pool.labels] == [
        label for label, use in zip(y, usable, strict=True) if use
    ]
    used = list(pool.names)
    skipped = [problem.path for problem in pool.problems if problem.skipped]
    assert sorted(used + skipped) == [f"[{row}]" for row in range(6)]
    wanted = {
        f"[{row}]": "not_finite" if y[row] else "missing_label"
        for row in np.flatnonzero(~usable).tolist()
    }
    assert {problem.path: problem.kind for problem in pool.problems} == wanted


def test_pictures_of_different_sizes_are_fitted():
    rng = np.random.default_rng(0)
    x = [rng.integers(0, 256, size, dtype=np.uint8) for size in ((10, 20, 3), (30, 30), (40, 8, 1))]
    pool = pool_of(x)
    assert pool.images.shape == (3, 30, 30, 3)  # the median of 20, 30, 40
    for picture, found in zip(x, pool.images, strict=True):
        np.testing.assert_array_equal(found, fit_image(picture, 30, 30, 3))
    large = [np.zeros((300, 200), np.uint8), np.zeros((500, 400), np.uint8)]
    assert pool_of(large).images.shape == (2, LONGEST_SIDE, LONGEST_SIDE, 1)


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_a_size_and_channels_can_be_asked_for(fit):
    x = np.random.default_rng(0).integers(0, 256, (3, 10, 20, 3), dtype=np.uint8)
    pool = pool_of(x, size=(8, 12), channels=1, fit=fit)
    assert pool.fit == fit
    expected = [fit_image(picture, 8, 12, 1, policy=fit) for picture in x]
    np.testing.assert_array_equal(pool.images, expected)
    np.testing.assert_array_equal(
        pool_of(list(x), size=(8, 12), channels=1, fit=fit).images, expected
    )
    assert pool_of(x, size=5).images.shape == (3, 5, 5, 3)


def test_transparent_pixels_show_white():
    clear = np.zeros((1, 2, 2, 4), np.uint8)
    clear[0, 0, 0] = 10, 20, 30, 255
    image = pool_of(clear, [0]).images[0]
    assert image.shape == (2, 2, 3)
    assert image[0, 0].tolist() == [10, 20, 30]
    assert (image[1] == 255).all()
    assert pool_of(clear[..., :2], [0]).images.shape == (1, 2, 2, 1)


def test_a_list_of_files_each_with_one_verdict(tmp_path):
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    Image.fromarray(whole).save(tmp_path / "whole.png")
    content = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(content[:200])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_bytes(b"no picture " * 20)
    frames = [Image.new("L", (12, 12), shade) for shade in (7, 200)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    names = ["whole.png", "cut.png", "empty.png", "text.png", "none.png", "moving.gif"]
    x = [*(tmp_path / name for name in names), str(tmp_path / "whole.png"), content]
    pool = pool_of(x)
    assert list(pool.names) == ["[0]", "[5]", "[6]", "[7]"]
    assert sorted(said(pool)) == [
        ("[1]", "damaged", True),
        ("[2]", "empty_file", True),
        ("[3]", "not_an_image", True),
        ("[4]", "missing_file", True),
        ("[5]", "animation", False),
    ]
    for row in (0, 2, 3):
        np.testing.assert_array_equal(pool.images[row], whole)
    assert (pool.images[1] == 7).all()
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_file_that_goes_between_scan_and_use_is_said(tmp_path):
    for name in ("stays.png", "goes.png"):
        Image.new("L", (3, 2), 9).save(tmp_path / name)
    pictures = PictureList(
        [tmp_path / "goes.png", tmp_path / "stays.png"], "images", channels_first=False
    )
    rows, scale = np.arange(2), PixelScale()
    shapes, faults = pictures.survey(rows, scale)
    assert (shapes.tolist(), faults) == ([[2, 3, 1], [2, 3, 1]], [])
    (tmp_path / "goes.png").unlink()
    out = np.zeros((2, 2, 3, 1), np.uint8)
    (fault,) = pictures.fill(out, rows, scale, Target(2, 3, 1, "pad"))
    assert (fault.row, fault.kind, fault.skipped) == (0, "vanished", True)
    assert (out[1] == 9).all()


def test_groups_are_those_of_the_used_rows():
    x = np.zeros((4, 2, 2), np.uint8)
    groups = pool_of(x, ["a", "", "b", "b"], groups=["p", "q", "p", None]).groups
    assert len(groups) == 3
    assert groups[0] == groups[1] != groups[2]
    parts = {"train": (x, [0, 1, 0, 1]), "test": (x, [0, 1, 0, 1])}
    both = pool_from_arrays(parts, groups={"train": [5, 5, 6, 7]}).groups
    assert len(set(both.tolist())) == 7
    assert both[0] == both[1]
    for wrong, message in (
        ([5, 5, 6, 7], "one list for several parts"),
        ({"validation": [1]}, "groups of validation, of which there are no pictures"),
        ({"train": [5]}, "train 4 images with 1 groups"),
    ):
        with pytest.raises(DataError, match=message):
            pool_from_arrays(parts, groups=wrong)


def blank(*shape, dtype=np.uint8):
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (np.uint8(3), {}, r"images of shape \(\); allowed: \(n, height, width\)"),
        (blank(5), {}, r"images of shape \(5,\); allowed"),
        (blank(0, 4, 4), {}, r"images of shape \(0, 4, 4\); .*none of them zero"),
        (blank(5, 4, 0), {}, "none of them zero"),
        ([], {}, r"images of shape \(0,\)"),
        (blank(2, 2, 2, 2, 2), {}, r"images of shape \(2, 2, 2, 2, 2\); allowed"),
        (blank(5, 4, 4, dtype=object), {}, "dtype object; allowed: .* pass a list"),
        (
            blank(5, 4, 4, dtype=complex),
            {},
            "dtype complex128; allowed: bool, whole numbers, float",
        ),
        (np.array(["a.png"]), {}, "dtype <U5; .*for paths .* pass a list"),
        (blank(5, 12), {}, r"flat rows need shape=.*square: shape=\(2, 2, 3\)"),
        (blank(5, 784), {}, r"if they are square: shape=\(28, 28\); a single picture"),
        (
            blank(5, 10),
            {},
            r"flat rows need shape=\(height, width\) or \(height, width, channels\);",
        ),
        (blank(5, 784), {"shape": (28, 27)}, r"784 values are no pictures of shape \(28, 27\)"),
        (blank(5, 4, 4), {"shape": (2, 8)}, r"shape is \(2, 8\): leave it out"),
        (blank(5, 3, 28, 28), {}, "looks like channels first: pass channels_first=True"),
        (
            blank(5, 28, 28, 3),
            {"channels_first": True},
            "looks like channels last: pass channels_first=False",
        ),
        (blank(5, 28, 28, 7), {}, "7 channels; allowed: 1"),
        ([blank(4, 4), blank(4)], {}, r"images\[1\] of shape \(4,\)"),
        ([blank(4, 4), None], {}, r"images\[1\] is a NoneType; allowed in a list"),
        ([blank(4, 4), blank(4, 4, dtype=object)], {}, r"images\[1\] .*dtype object"),
        ([[1, 2], [3]], {}, "images, a list, does not become an array"),
        (Image.new("L", (4, 4)), {}, "a single Pillow image; allowed: a list"),
        (np.ma.masked_array(blank(2, 2, 2), mask=True), {}, "masked array"),
        (np.full((2, 2, 2), 2.0), {}, r"from 2 to 2; allowed: 0 to 1, or .*value_range=\(0, 16\)"),
        (np.full((2, 2, 2), -0.5), {}, r"from -0.5 to -0.5; .*value_range=\(-0.5, -0.5\)"),
        (np.full((2, 2, 2), 300), {}, r"whole-number pixels from 300 to 300; allowed: 0 to 255"),
        (np.full((2, 2, 2), -1), {}, r"from -1 to -1; allowed: 0 to 255"),
        (np.full((2, 2, 2), 200, np.uint16), {}, r"16-bit pixels from 200 to 200 would be black"),
        (blank(2, 2, 2) + 17, {"value_range": (0, 16)}, "from 17 to 17; allowed: the value_range"),
        ([np.full((2, 2), 0.5), np.full((2, 3), 7.0)], {}, r"images\[1\]: .*from 0.5 to 7"),
    ],
)
def test_what_are_no_pictures_is_said_in_one_line(x, options, message):
    with pytest.raises(DataError, match=message) as caught:
        pool_from_arrays({None: (x, [0, 1])}, **options)
    assert "\n" not in str(caught.value)


def test_counts_that_differ_and_single_pictures_are_said():
    with pytest.raises(DataError, match="train 6,000 images with 5,999 labels; each image needs"):
        pool_from_arrays({"train": (blank(6000, 1, 1), np.zeros(5999, int))})
    with pytest.raises(DataError, match=r"427 images with 1 labels; .*a single picture goes into"):
        pool_from_arrays({None: (blank(427, 640, 3), ["china"])})
    assert len(pool_from_arrays({None: ([blank(4, 6, 3)], ["china"])}).labels) == 1


@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        ({}, DataError, "no arrays"),
        ({"trian": (0, 0)}, ConfigError, "unknown split 'trian'; did you mean 'train'"),
        ({"train": blank(3, 2, 2)}, DataError, "train data are no pair"),
        ({"train": (blank(3, 2, 2),)}, DataError, "train data are no pair"),
    ],
)
def test_what_are_no_parts_is_said(parts, error, message):
    with pytest.raises(error, match=message):
        pool_from_arrays(parts)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fit": "padd"}, "unknown fit policy 'padd'; did you mean 'pad'"),
        ({"size": 0}, "size is 0; allowed: a whole number"),
        ({"size": (3, 4, 5)}, r"size is \(3, 4, 5\); allowed: a side"),
        ({"size": 2.5}, "size is 2.5"),
        ({"channels": 2}, "channels is 2; allowed"),
        ({"channels": True}, "channels is True; allowed"),
        ({"value_range": (1, 0)}, r"value_range is \(1, 0\); allowed: two finite numbers"),
        ({"value_range": (0, np.inf)}, "two finite numbers"),
        ({"value_range": 16}, "value_range is 16"),
        ({"shape": (4,)}, r"shape is \(4,\); allowed"),
        ({"shape": (4, -1)}, "shape is -1; allowed: a whole number"),
        ({"shape": (2, 2.0)}, "shape is 2.0"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        pool_of(blank(2, 4), **options)


def test_names_are_a_sequence():
    names = RowNames(["train", "test"], [np.array([3, 5]), np.array([0])])
    assert list(names) == ["train[3]", "train[5]", "test[0]"]
    assert names[-1] == names[2] == "test[0]"
    assert names[1:] == ["train[5]", "test[0]"]
    assert "train[5]" in names
    assert names.index("test[0]") == 2
    with pytest.raises(IndexError):
        names[3]
