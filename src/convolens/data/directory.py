"""The data directory: where known data sets are looked for, checked, and downloaded to."""

import hashlib
import os
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

from convolens.data.catalogue import KnownDataset, KnownFile
from convolens.data.idx_folder import find_idx_file
from convolens.errors import DataError
from convolens.files import replacing

Fetch = Callable[[str, Path], None]
"""Gets an address into a file: the one place where the network is entered."""


def data_directory() -> Path:
    """Where known data sets are kept: ``CONVOLENS_DATA`` if set, else the user's cache folder.

    A data set has a folder of its own name there, with its official files. Nothing is created.
    """
    chosen = os.environ.get("CONVOLENS_DATA")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("convolens")) / "data"


def download(address: str, destination: Path) -> None:
    """Download one file by HTTP, with a progress bar on standard error.

    Args:
        address: an ``http`` or ``https`` address.
        destination: the file to write.

    Raises:
        OSError: it cannot be reached, is not there, or stops answering.
    """
    import pooch  # pyright: ignore[reportMissingTypeStubs]

    # "identity": a server that unpacks .gz files on the way would change their checksum.
    fetch = pooch.HTTPDownloader(
        progressbar=True, chunk_size=2**16, headers={"Accept-Encoding": "identity"}
    )
    fetch(address, str(destination), None)


def locate_files(
    known: KnownDataset, directory: Path | None = None, fetch: Fetch = download
) -> dict[str, Path]:
    """The official files of a data set: found and checked, or downloaded and checked.

    Args:
        known: the data set.
        directory: the data directory; :func:`data_directory` if None.
        fetch: how a missing file is got.

    Returns:
        The name of each file (without ``.gz``) to where it is, packed or unpacked.

    Raises:
        DataError: a file there is not the official one, or files are missing and cannot be
            downloaded; the message says what to put where.
    """
    folder = (data_directory() if directory is None else directory) / known.name
    found = {file.name: path for file in known.files if (path := find_idx_file(folder, file.name))}
    for file in known.files:
        if file.name in found:
            _check(found[file.name], file, known)
    missing = [file for file in known.files if file.name not in found]
    for file in missing:
        found[file.name] = _get(file, known, folder, missing, fetch)
    return {file.name: found[file.name] for file in known.files}


def _check(path: Path, file: KnownFile, known: KnownDataset) -> None:
    packed = path.suffix == ".gz"
    wanted = file.md5 if packed else file.md5_unpacked
    if wanted is None:
        raise DataError(
            f"{path} is unpacked, and only the packed file has a published checksum: put "
            f"{file.name}.gz there, or name the folder by its path to read it unchecked"
        )
    found = _md5(path)
    if found == wanted:
        return
    swapped = [other.name for other in known.files if found in (other.md5, other.md5_unpacked)]
    what = f"it is {swapped[0]}" if swapped else "it is altered, truncated or another file"
    raise DataError(
        f"{path} is not the official file of {known.name}: {what} (MD5 {found}, should be "
        f"{wanted}); remove it to download it again"
    )


def _get(
    file: KnownFile, known: KnownDataset, folder: Path, missing: Sequence[KnownFile], fetch: Fetch
) -> Path:
    target = folder / f"{file.name}.gz"
    reasons: list[str] = []
    for address in known.addresses:
        try:
            with replacing(target) as temporary:
                fetch(f"{address}{target.name}", temporary)
                if _md5(temporary) != file.md5:
                    raise ValueError("what came is not the official file")
        except (OSError, ValueError) as error:
            reason = textwrap.shorten(str(error) or type(error).__name__, 120, placeholder="...")
            reasons.append(f"{address}: {reason}")
        else:
            return target
    names = ", ".join(
        f"{entry.name}.gz" for entry in missing if not find_idx_file(folder, entry.name)
    )
    raise DataError(
        f"{known.name}: not in {folder}, and not downloaded ({'; '.join(reasons)}): {names}; put "
        f"them into {folder}, or set CONVOLENS_DATA to the folder that holds {known.name}/"
    )


def _md5(path: Path) -> str:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    return digest.hexdigest()
