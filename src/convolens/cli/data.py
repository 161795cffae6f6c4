"""``convolens data``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from convolens.cli.data_options import takes_data_options
from convolens.cli.output import JsonOption, print_json, print_text, say


@takes_data_options
def data(
    source: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="Name of a data set, such as digits, or a folder, .csv, .parquet or .npz file.",
        ),
    ],
    options: dict[str, Any],
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with pictures.")
    ] = None,
    write_split: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write which picture is in which split, as CSV."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what is in a data set, what is wrong with it, and what to do about it."""
    from convolens.data import PreparationDisplay, check_data, load_data, write_split_file
    from convolens.reports import check_page_place, write_data_page

    # Before the work: it may take long.
    if report is not None:
        check_page_place(report)
    if write_split is not None:
        _check_file_place(write_split)
    with PreparationDisplay() as display:
        dataset = load_data(source, on_progress=display, **options)
    summary = check_data(dataset)
    if as_json:
        print_json(summary.to_dict())
    else:
        print_text(str(summary))
    if write_split is not None:
        write_split_file(write_split, dataset)
        say(f"split: {write_split}")
    if report is not None:
        write_data_page(report, summary, dataset)
        say(f"report: {report}")


def _check_file_place(path: Path) -> None:
    from convolens.errors import ConfigError

    if path.is_dir():
        raise ConfigError(f"{path} is a folder; name a file in it, such as {path / 'split.csv'}")
