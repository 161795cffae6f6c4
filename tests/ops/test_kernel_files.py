import numpy as np
import pytest

from convolens.errors import ConfigError
from convolens.ops.kernels import load_kernel


@pytest.mark.parametrize(
    "text",
    [
        "1 0 -1\n2 0 -2\n",
        "1,0,-1\r\n2,0,-2\r\n",
        "# an edge\n\n1, 0,\t-1  # first row\n2e0  0.0 , -2",
        "\ufeff1 0 -1\n2 0 -2",
    ],
)
@pytest.mark.parametrize("suffix", [".txt", ".csv", ".TXT"])
def test_text_files(tmp_path, text, suffix):
    path = tmp_path / f"kernel{suffix}"
    path.write_bytes(text.encode())
    kernel = load_kernel(path)
    assert kernel.dtype == np.float32
    np.testing.assert_array_equal(kernel, [[1, 0, -1], [2, 0, -2]])


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float64", ">f4", "bool"])
def test_npy_files(tmp_path, dtype):
    np.save(tmp_path / "kernel.npy", np.array([[1, 0], [0, 1]], dtype))
    kernel = load_kernel(str(tmp_path / "kernel.npy"))
    np.testing.assert_array_equal(kernel, np.eye(2, dtype=np.float32))
    kernel[:] = 2  # its own memory, not that of the file
    np.testing.assert_array_equal(load_kernel(tmp_path / "kernel.npy"), np.eye(2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("# nothing\n\n", "is empty"),
        ("1 2\n3\n", "line 2: 1 values, but the first row has 2"),
        ("1 2\n3 four\n", "line 2: 'four' is not a number"),
        ("1,,2\n", "line 1: '' is not a number"),
        ("1 2,\n", "line 1: '' is not a number"),
        ("1 nan\n", "holds a value that is not a finite 32-bit number"),
        ("1e39 1\n", "holds a value that is not a finite 32-bit number"),
        (" ".join(["1"] * 256), r"shape \(1, 256\); at most 255"),
    ],
)
def test_text_that_is_no_kernel_is_refused(tmp_path, text, message):
    path = tmp_path / "kernel.txt"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_kernel(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 3, 1)), r"shape \(3, 3, 1\); it must be \(height, width\)"),
        (np.zeros((0, 3)), "is empty"),
        (np.zeros((3, 3), complex), "must hold integers or real numbers, not complex128"),
        (np.full((2, 2), np.inf), "not a finite"),
        (np.zeros((300, 2)), "at most 255"),
        (np.array([[{}]]), "must hold integers or real numbers, not object"),
    ],
)
def test_arrays_that_are_no_kernel_are_refused(tmp_path, array, message):
    np.save(tmp_path / "kernel.npy", array, allow_pickle=True)
    with pytest.raises(ConfigError, match=message):
        load_kernel(tmp_path / "kernel.npy")


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (b"(200, 200), }", "is damaged or not an"),
        (b"(2000000000, 2000000000), }", "at most 255 rows and columns"),
    ],
)
def test_a_header_that_claims_more_than_the_file_holds_is_refused(tmp_path, claim, message):
    path = tmp_path / "kernel.npy"
    np.save(path, np.zeros((10, 10)))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"(10, 10), }".ljust(len(claim)), claim))
    assert len(path.read_bytes()) == len(content)
    with pytest.raises(ConfigError, match=message):
        load_kernel(path)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\x03\x04", b"\x80\x04K\x01.", b"1 2"])
def test_damaged_npy_files_are_refused(tmp_path, content):
    path = tmp_path / "kernel.npy"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="is damaged or not an"):
        load_kernel(path)


def test_an_archive_of_arrays_is_refused(tmp_path):
    np.savez(tmp_path / "kernel.npz", a=np.eye(2))
    path = (tmp_path / "kernel.npz").rename(tmp_path / "kernel.npy")
    with pytest.raises(ConfigError, match="is damaged or not an"):
        load_kernel(path)


def test_what_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.txt cannot be read: No such file"):
        load_kernel(tmp_path / "none.txt")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_kernel(tmp_path / "folder.csv")
    with pytest.raises(ConfigError, match=r"must end in \.txt, \.csv, \.npy"):
        load_kernel(tmp_path / "kernel.png")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not a text file"):
        load_kernel(tmp_path / "binary.txt")
    (tmp_path / "large.txt").write_bytes(b"1 " * 1_100_000)
    with pytest.raises(ConfigError, match="a kernel file may have 2097152"):
        load_kernel(tmp_path / "large.txt")
