"""A data set by its name, its path, or as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from convolens.config import did_you_mean
from convolens.data.arrays import pool_from_arrays
from convolens.data.catalogue import KNOWN_DATASETS, KnownDataset
from convolens.data.class_folders import list_class_folders
from convolens.data.corrections import correct
from convolens.data.csv_table import list_csv
from convolens.data.datasets import Dataset
from convolens.data.digits import digits_pool
from convolens.data.directory import Fetch, download, locate_files
from convolens.data.dividing import make_dataset
from convolens.data.idx_folder import find_idx_files, idx_pool
from convolens.data.kept_duplicates import kept_duplicates
from convolens.data.listing import Listing
from convolens.data.npz import read_npz
from convolens.data.options import DataOptions, Layout, data_options
from convolens.data.parquet_table import list_parquet
from convolens.data.pool import Pool
from convolens.data.preparing import prepare_listing
from convolens.data.refitting import refit
from convolens.data.surveying import OnProgress, silent
from convolens.errors import ConfigError, DataError

DataSource = str | Path | tuple[Any, Any] | Mapping[str, tuple[Any, Any]]
"""A known name, a path, (X, y), or a split's name to each (X, y)."""


def load_data(
    source: DataSource = "digits",
    *,
    groups: Any = None,
    fetch: Fetch = download,
    on_progress: OnProgress = silent,
    **options: Any,
) -> Dataset:
    r"""Load a data set with its splits and class names.

    What it may be:

    - a known name: digits, fashion-mnist, mnist or kmnist. All but digits are looked for in the
      data directory (:func:`convolens.data.data_directory`), else downloaded there; either way
      their files must be the official ones;
    - a folder of pictures, ``root/<class>/…`` or ``root/<train, val, test>/<class>/…``;
    - a table of paths and labels (``.csv``, ``.tsv``), or of paths or pictures (``.parquet``, or a
      folder of such files);
    - an ``.npz`` file, or a folder of IDX files under MNIST's names;
    - arrays: (X, y), or ``{"train": (X, y), "test": (X, y)}``.

    A set that is not divided becomes 80 % training, 10 % validation and 10 % test pictures: at
    random by ``seed``, every class in proportion, pictures of one ``group``, copies and near copies
    on one side. One that has a test part keeps it, and validation is taken from its training part.
    Pictures of several sizes are brought to one; :class:`Dataset` says what was done and what was
    left out.

    Args:
        source: as above. A known name wins over a file of that name; ``./mnist`` means the file.
        groups: of arrays: a number or a text for each picture (for several parts, a part's name to
            that). Pictures of one group never sit on both sides of a division.
        fetch: how a missing official file is got, called with its address and where to put it.
        on_progress: called with what is being done, how many pictures are done and how many there
            are, while a folder or a table is read.
        **options: fields of :class:`~convolens.data.options.Preparation` (``size``, ``channels``,
            ``fit``, ``limits``, ``workers``), of :class:`~convolens.data.dividing.Splitting`
            (``seed``, ``validation_size``, ``test_size``, ``folds``, ``sample``, ``split_file``
            and others), of :class:`~convolens.data.options.Layout` (``images``, ``labels``,
            ``group``, ``shape``, ``class_names`` and others) and of
            :class:`~convolens.data.correcting.Correcting` (``corrections``: a list of corrected
            labels, as :func:`convolens.cross_validate` writes it and a person fills it in).

    Returns:
        The data set. ``digits`` without options comes in one fixed division, whatever the seed.

    Raises:
        DataError: it is neither known nor there, or its files are missing, damaged or disagree.
        ConfigError: an option that is unknown, not allowed, or impossible for these data.

    >>> load_data("digits").splits["test"]
    Split(n=180, shape=(8, 8, 1))
    """
    chosen = data_options(options)
    if groups is not None and isinstance(source, str | Path):
        raise ConfigError(
            "groups are for arrays; for a table name a column, and for a folder a pattern, as group"
        )
    pool = read_pool(source, chosen, groups, fetch, on_progress)
    dataset = make_dataset(pool, chosen.splitting, lambda: kept_duplicates(pool))
    return replace(dataset, options=chosen.to_dict())


def read_pool(
    source: DataSource, options: DataOptions, groups: Any, fetch: Fetch, on_progress: OnProgress
) -> Pool:
    """All pictures of a source, not yet divided; the arguments are those of :func:`load_data`."""
    # Before the pictures are read, which may take minutes.
    corrections = options.correcting.listed
    pool = _read_pool(source, options, groups, fetch, on_progress)
    return pool if corrections is None else correct(pool, corrections)


def _read_pool(
    source: DataSource, options: DataOptions, groups: Any, fetch: Fetch, on_progress: OnProgress
) -> Pool:
    layout, preparation = options.layout, options.preparation
    if isinstance(source, tuple | Mapping):
        layout.refuse_others("arrays", _ARRAYS)
        parts = {None: source} if isinstance(source, tuple) else source
        parts = cast("Mapping[str | None, tuple[Any, Any]]", parts)
        return pool_from_arrays(parts, groups=groups, **_array_options(options))
    if isinstance(source, str) and source in KNOWN_DATASETS:
        layout.refuse_others(f"the known data set {source}", ())
        known = KNOWN_DATASETS[source]
        return refit(digits_pool() if source == "digits" else _known(known, fetch), preparation)
    path = _existing(source)
    if path.is_dir() and (files := find_idx_files(path)):
        layout.refuse_others("IDX files", ())
        return refit(idx_pool(files, path), preparation)
    if path.suffix.lower() == ".npz" and not path.is_dir():
        layout.refuse_others("an .npz file", ("images", "labels", *_ARRAYS))
        return read_npz(path, images=layout.images, labels=layout.labels, **_array_options(options))
    return prepare_listing(_listing(path, layout), preparation, on_progress)


_ARRAYS = ("shape", "channels_first", "value_range", "class_names")
_TABLES = ("images", "labels", "group")


def _listing(path: Path, layout: Layout) -> Listing:
    columns = {"images": layout.images, "labels": layout.labels, "group": layout.group}
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv") and not path.is_dir():
        layout.refuse_others("a table", _TABLES)
        return list_csv(path, **columns)
    if suffix in (".parquet", ".pq") or (path.is_dir() and _holds_parquet(path)):
        layout.refuse_others("a table", _TABLES)
        return list_parquet(path, **columns)
    if not path.is_dir():
        raise DataError(
            f"{path} is a file of another kind; allowed: a folder of class folders or of IDX "
            "files, .csv, .tsv, .parquet, .npz"
        )
    layout.refuse_others("a folder of pictures", ("group",))
    listing = replace(list_class_folders(path), name=_folder_name(path))
    pattern = layout.group_pattern()
    if pattern is None:
        return listing
    entries = [replace(entry, group=_group(pattern, entry.name)) for entry in listing.entries]
    if all(entry.group is None for entry in entries):
        raise DataError(
            f"{path}: group is {layout.group!r}, which is found in no path, such as "
            f"{entries[0].name!r}; it is searched for as a regular expression"
        )
    return replace(listing, entries=entries)


def _folder_name(path: Path) -> str:
    """The name of a folder; of its parent where it is called as any such folder is."""
    resolved = path.resolve()
    usual = {"images", "image", "imgs", "img"}
    named = resolved.parent if resolved.name.casefold() in usual else resolved
    return named.name or resolved.name or "pictures"


def _group(pattern: Any, name: str) -> str | None:
    found = pattern.search(name)
    if found is None:
        return None
    return found[1] if pattern.groups else found[0]


def _holds_parquet(folder: Path) -> bool:
    places: Sequence[Path] = (folder, folder / "data")
    return any(any(place.glob("*.parquet")) for place in places)


def _known(known: KnownDataset, fetch: Fetch) -> Pool:
    pool = idx_pool(locate_files(known, fetch=fetch), None)
    n_train = int(np.count_nonzero(pool.given == 0))
    found = (n_train, len(pool.labels) - n_train, pool.images.shape[1:])
    assert found == (known.n_train, known.n_test, known.shape), "the checksums said otherwise"
    return replace(pool, name=known.name, source=known.homepage, class_names=known.class_names)


def _existing(source: Any) -> Path:
    if not isinstance(source, str | Path):
        raise DataError(
            f"a data set cannot be of the type {type(source).__name__}; allowed: a name, a path, "
            '(X, y), or a mapping such as {"train": (X, y)}'
        )
    path = Path(source)
    try:
        exists = path.exists()
    except (OSError, ValueError) as reason:
        raise DataError(f"{str(source)!r} cannot be the name of a folder: {reason}") from None
    if not exists:
        raise DataError(
            f"there is no file or folder {str(source)!r}, and it is no known data set's name"
            f"{did_you_mean(str(source), KNOWN_DATASETS)}"
        )
    return path


def _array_options(options: DataOptions) -> dict[str, Any]:
    layout, preparation = options.layout, options.preparation
    return {
        "shape": layout.shape,
        "channels_first": layout.channels_first,
        "value_range": layout.value_range,
        "class_names": layout.class_names,
        "size": preparation.size,
        "channels": preparation.channels,
        "fit": preparation.fit,
    }
