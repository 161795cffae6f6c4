"""Where a page may be written: nothing but a page of ours is ever overwritten."""

from pathlib import Path

from convolens.errors import ConfigError
from convolens.reports.page import GENERATOR


def check_page_place(path: str | Path) -> Path:
    """Refuse a place where a page would overwrite something else.

    Raises:
        ConfigError: the path is a folder, or a file that is no page of ours.
    """
    path = Path(path)
    if path.is_dir():
        raise ConfigError(f"{path} is a folder; name a file in it, such as {path / 'data.html'}")
    if path.exists() and not _is_ours(path):
        raise ConfigError(f"{path} is there already and no page of ours; name another file")
    return path


def _is_ours(path: Path) -> bool:
    if not path.is_file():  # a device or a pipe may never end
        return False
    with path.open("rb") as file:
        return GENERATOR.encode() in file.read(4096)  # it stands in the head
