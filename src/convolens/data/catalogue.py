"""The data sets that are known by name: their files, where those are, and what is in them."""

from collections.abc import Mapping
from dataclasses import dataclass

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"


@dataclass(frozen=True, kw_only=True)
class KnownFile:
    """One official file."""

    name: str
    """Its name, without the ``.gz`` under which it is published."""
    md5: str
    """MD5 of the packed file, as its publisher states it."""
    md5_unpacked: str | None = None
    """MD5 of the same file after gunzip, where we have computed it from the official one."""


@dataclass(frozen=True, kw_only=True)
class KnownDataset:
    """One known data set. Where ``files`` is empty, scikit-learn ships it."""

    name: str
    """What users call it, and the name of its folder in the data directory."""
    title: str
    """One line on what the pictures show."""
    class_names: tuple[str, ...]
    """The name of each class, by its label."""
    shape: tuple[int, int, int]
    """(height, width, channels) of every picture."""
    n_train: int
    """Pictures in its training part, as published."""
    n_test: int
    """Pictures in its test part; 0 where it has none."""
    homepage: str
    """Where to read about it."""
    licence: str
    """What its authors allow."""
    citation: str
    """What to cite."""
    mirrors: bool = False
    """Whether a picture's mirror image is of the same class: so it is for clothes, not for digits
    and letters."""
    files: tuple[KnownFile, ...] = ()
    """The official files."""
    addresses: tuple[str, ...] = ()
    """Where the files are, tried in this order; a file's name and ``.gz`` follow."""


def _idx_files(
    *md5s: str, unpacked: tuple[str | None, ...] = (None, None, None, None)
) -> tuple[KnownFile, ...]:
    names = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)
    return tuple(
        KnownFile(name=name, md5=md5, md5_unpacked=plain)
        for name, md5, plain in zip(names, md5s, unpacked, strict=True)
    )


_DIGIT_NAMES = tuple(str(digit) for digit in range(10))

_DIGITS = KnownDataset(
    name="digits",
    title="1,797 handwritten digits, 8 x 8, grey; part of scikit-learn",
    class_names=_DIGIT_NAMES,
    shape=(8, 8, 1),
    n_train=1_797,
    n_test=0,
    homepage="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    licence="CC BY 4.0",
    citation="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits. UCI, 1998",
)

_FASHION_MNIST = KnownDataset(
    name="fashion-mnist",
    title="70,000 pieces of clothing, 28 x 28, grey",
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    shape=(28, 28, 1),
    n_train=60_000,
    n_test=10_000,
    homepage="https://github.com/zalandoresearch/fashion-mnist",
    licence="MIT (Copyright 2017 Zalando SE)",
    citation="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST. arXiv:1708.07747, 2017",
    mirrors=True,
    files=_idx_files(
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
        unpacked=(
            "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "9018921c3c673c538a1fc5bad174d6f9",
            "8181f5470baa50b63fa0f6fddb340f0a",
            "15d484375f8d13e6eb1aabb0c3f46965",
        ),
    ),
    addresses=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
)

_MNIST = KnownDataset(
    name="mnist",
    title="70,000 handwritten digits, 28 x 28, grey",
    class_names=_DIGIT_NAMES,
    shape=(28, 28, 1),
    n_train=60_000,
    n_test=10_000,
    homepage="http://yann.lecun.com/exdb/mnist/",
    licence="CC BY-SA 3.0 (Copyright Yann LeCun and Corinna Cortes)",
    citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to "
    "document recognition. Proceedings of the IEEE 86(11), 1998",
    files=_idx_files(
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    # The mirror first: the home page has long refused most downloads.
    addresses=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ),
)

_KMNIST = KnownDataset(
    name="kmnist",
    title="70,000 handwritten Japanese characters (old hiragana), 28 x 28, grey",
    class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    shape=(28, 28, 1),
    n_train=60_000,
    n_test=10_000,
    homepage="http://codh.rois.ac.jp/kmnist/",
    licence="CC BY-SA 4.0",
    citation="T. Clanuwat, M. Bober-Irizar, A. Kitamoto, A. Lamb, K. Yamamoto, D. Ha: Deep "
    "Learning for Classical Japanese Literature. arXiv:1812.01718, 2018",
    files=_idx_files(
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    ),
    addresses=("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
)

KNOWN_DATASETS: Mapping[str, KnownDataset] = {
    known.name: known for known in (_DIGITS, _FASHION_MNIST, _MNIST, _KMNIST)
}
