"""``convolens data``."""

from typing import Annotated

import typer

from convolens.cli.output import JsonOption, print_json, print_text


def data(
    source: Annotated[
        str, typer.Argument(metavar="DATA", help="Name or path of a data set, such as digits.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Say what is in a data set, and what is wrong with it."""
    from convolens.data import check_data, load_data

    summary = check_data(load_data(source))
    if as_json:
        print_json(summary.to_dict())
    else:
        print_text(str(summary))
