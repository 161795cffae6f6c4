"""A data set by its name or its path."""

from pathlib import Path

from convolens.config import check_whole, choose, did_you_mean
from convolens.data.catalogue import KNOWN_DATASETS, KnownDataset
from convolens.data.datasets import Dataset, Split
from convolens.data.digits import load_digits
from convolens.data.directory import Fetch, download, locate_files
from convolens.data.idx_folder import find_idx_files, read_class_names, read_splits
from convolens.data.splits import hold_out_last, stratified_split
from convolens.errors import ConfigError, DataError

# The notes hold out 5,000 of Fashion-MNIST's 60,000. It is the size wherever it is at most a tenth.
_NOTES_SIZE = 5_000


def load_data(
    source: str | Path = "digits",
    *,
    seed: int = 0,
    validation: str | None = None,
    validation_size: int | None = None,
    fetch: Fetch = download,
) -> Dataset:
    """Load a data set with its splits and class names.

    Known names are digits, fashion-mnist, mnist and kmnist. All but digits are looked for in the
    data directory (:func:`convolens.data.data_directory`), else downloaded there; either way their
    files must be the official ones. A folder of IDX files is read under MNIST's file names
    (``train-images-idx3-ubyte`` and so on, with or without ``.gz``), with the class names from a
    ``classes.txt`` beside them, one a line, or else the labels themselves.

    Args:
        source: a known name, or the path of a folder. A name wins over a folder of that name;
            ``./mnist`` means the folder.
        seed: of a stratified validation split.
        validation: "last" holds out the last training pictures, as the notes do; "stratified"
            draws them at random, every class in proportion. None is "last" for training parts of
            at least 50,000 pictures and "stratified" for smaller ones.
        validation_size: how many; None is 5,000, or a tenth of fewer than 50,000.
        fetch: how a missing official file is got, called with its address and where to put it.

    Returns:
        The data set. ``digits`` comes in one fixed division (see
        :func:`convolens.data.load_digits`), whatever the seed.

    Raises:
        DataError: it is neither known nor a folder that can be read, or its files are missing,
            altered, damaged or disagree.
        ConfigError: an impossible ``validation`` or ``validation_size``.

    >>> load_data("digits").splits["test"]
    Split(n=180, shape=(8, 8, 1))
    """
    if validation is not None:
        choose("validation", validation, {"last": 1, "stratified": 1})
    if str(source) == "digits" and not isinstance(source, Path):
        if validation is not None or validation_size is not None:
            raise ConfigError(
                "digits has one fixed division (80/10/10 %, stratified); "
                "leave validation and validation_size out"
            )
        return load_digits()
    if isinstance(source, str) and source in KNOWN_DATASETS:
        name, (full, test), class_names, where = _known(KNOWN_DATASETS[source], fetch)
    else:
        name, (full, test), class_names, where = _folder(source)
    train, held_out = _divide(full, validation, validation_size, seed)
    return Dataset(name, train, held_out, test, class_names, where)


_Parts = tuple[str, tuple[Split, Split | None], tuple[str, ...], str]


def _known(known: KnownDataset, fetch: Fetch) -> _Parts:
    files = locate_files(known, fetch=fetch)
    train, test = read_splits(files, known.name)
    found = (len(train), len(test or ()), train.images.shape[1:])
    assert found == (known.n_train, known.n_test, known.shape), "the checksums said otherwise"
    return known.name, (train, test), known.class_names, known.homepage


def _folder(source: str | Path) -> _Parts:
    path = Path(source)
    today = f"a folder of IDX files, or a known name ({', '.join(KNOWN_DATASETS)})"
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError) as reason:
        raise DataError(f"{str(source)!r} cannot be the name of a folder: {reason}") from None
    if not exists:
        raise DataError(
            f"there is no file or folder {str(source)!r}, and it is no known data set's name"
            f"{did_you_mean(str(source), KNOWN_DATASETS)}"
        )
    files = find_idx_files(path) if is_folder else {}
    if not files:
        what = "a folder without IDX files" if is_folder else "a file"
        raise DataError(f"{path} is {what}; what can be read today: {today}")
    train, test = read_splits(files, str(path))
    largest = max(int(split.labels.max()) for split in (train, test) if split is not None)
    return path.resolve().name, (train, test), read_class_names(path, largest), str(path)


def _divide(
    full: Split, validation: str | None, size: int | None, seed: int
) -> tuple[Split, Split]:
    large = len(full) >= 10 * _NOTES_SIZE
    if size is None:
        size = _NOTES_SIZE if large else max(1, len(full) // 10)
    if len(full) < 2:
        raise DataError("1 training image cannot be divided into training and validation")
    check_whole("validation_size", size, 1, len(full) - 1)
    if (validation or ("last" if large else "stratified")) == "last":
        return hold_out_last(full, size)
    share = size / len(full)
    train, held_out = stratified_split(full, (1 - share, share), seed)
    return train, held_out
