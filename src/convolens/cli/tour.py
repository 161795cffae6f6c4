"""``convolens tour``."""

import time
from pathlib import Path
from typing import Annotated

import typer

from convolens.cli.output import JsonOption, print_json, print_text, say
from convolens.errors import ConfigError, DataError


def tour(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the page.")] = Path("tour"),
    data: Annotated[
        str | None,
        typer.Option(help="Name or path of a data set; by default fashion-mnist, else digits."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The notes on convolutional networks, start to end, as one page of pictures."""
    _check_folder(out)
    from convolens.tour import make_tour

    begin = time.perf_counter()
    before = ["convolens tour: about two minutes on two cores"]

    def tell(title: str) -> None:
        # Only once the data are known to be good: an error is one line alone.
        while before:
            say(before.pop())
        say(f"· {title}")

    page = make_tour(out, data=data or _default_data(), say=tell)
    seconds = time.perf_counter() - begin
    if as_json:
        print_json({"page": str(page), "seconds": seconds})
    else:
        print_text(f"{page} is ready, after {seconds:.0f} s: open it in any browser.")


def _check_folder(out: Path) -> None:
    """Refuse a folder that cannot be made, before two minutes of work."""
    present = next((folder for folder in (out, *out.parents) if folder.exists()), out)
    if present.exists() and not present.is_dir():
        raise ConfigError(f"{out} cannot be a folder: {present} is a file; name another with --out")


def _default_data() -> str:
    from convolens.data import KNOWN_DATASETS, locate_files

    try:
        locate_files(KNOWN_DATASETS["fashion-mnist"])
    except DataError as error:
        say(f"{error}\nUsing the bundled digits instead of Fashion-MNIST.")
        return "digits"
    return "fashion-mnist"
