"""The labels that a cross-validation suspects, as a list that a person corrects and gives back."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from convolens.data.correcting import Correcting
from convolens.data.corrections import (
    CORRECTED,
    DROP,
    LABEL,
    PICTURE,
    Correction,
    Corrections,
    read_corrections,
)
from convolens.data.spreadsheet import cells_line, to_cell
from convolens.errors import ConfigError, DataError
from convolens.evaluation import LabelErrors, find_label_errors
from convolens.experiments.out_of_fold import OutOfFold
from convolens.files import replacing

FILE = "label_errors.csv"
COPY, JUDGED, BEFORE = "copy with another label", "judged otherwise", "corrected before"
"""Why a picture is in the list."""

_COLUMNS = (
    *(PICTURE, LABEL, "suggested", "probability of label", "probability of suggested", "reason"),
    *("copy", CORRECTED),
)


def suspected(kept: OutOfFold) -> LabelErrors:
    """The labels that the models of a cross-validation suspect, copies with other labels first."""
    return find_label_errors(kept.mean_probabilities, kept.labels, copies=kept.copies)


def corrections_before(options: Mapping[str, Any]) -> Corrections | None:
    """The list that the data of an experiment were read with, by its options of ``load_data``.

    Raises:
        DataError: it is gone, or has changed since.
    """
    given = {name: options[name] for name in _CORRECTING if name in options}
    return Correcting(**given).listed


def write_list(
    path: Path, kept: OutOfFold, found: LabelErrors, before: Corrections | None = None
) -> None:
    """Write suspected labels for a person to correct, the most suspicious first.

    A CSV file with one row a picture: picture, label, suggested (the likeliest class), probability
    of label, probability of suggested, reason, copy (a picture that shows the same and has another
    label) and corrected, which is empty. Labels that were corrected already are in it as well, so
    that it is whole: filled in, it takes the place of the list of before. What is in the column
    label is then the label from before the correction, and the probability is of that class; empty
    where the list of before does not name it.

    Args:
        path: the file. One that somebody filled in is never replaced.
        kept: the predictions out of fold.
        found: of them.
        before: the list that the data were read with.

    Raises:
        ConfigError: there is a list that somebody filled in.
    """
    if is_filled_in(path):
        raise ConfigError(f"{path} has corrections in it and is not replaced; name another file")
    with (
        replacing(path) as temporary,
        # With a byte order mark, without which Excel does not take it for UTF-8.
        temporary.open("w", encoding="utf-8-sig", newline="") as file,
    ):
        file.write(cells_line(_COLUMNS))
        file.writelines(map(cells_line, _rows(kept, found, before)))


def is_filled_in(path: Path) -> bool:
    """Whether there is a list that holds a correction, or what cannot be read as a list."""
    if not path.exists():
        return False
    try:
        return bool(read_corrections(path).by_picture)
    except DataError:
        return True


_CORRECTING = Correcting.__dataclass_fields__.keys()


def _rows(
    kept: OutOfFold, found: LabelErrors, before: Corrections | None
) -> Iterator[tuple[str, ...]]:
    """The cells of each row, safe in a spreadsheet."""
    corrected = dict(before.by_picture) if before else {}
    number_of = {name: number for number, name in enumerate(kept.class_names)}
    classes, probabilities = [to_cell(name) for name in kept.class_names], kept.mean_probabilities
    partner = _partners(kept)
    columns = (found.indices, found.given, found.suggested, found.contrary_copy)
    for index, given, suggested, copied in zip(*(each.tolist() for each in columns), strict=True):
        name = kept.names[index]
        earlier = corrected.pop(name, None)
        # Of a label that was corrected before, the list goes on saying what it was.
        shown = given if earlier is None else number_of.get(earlier.label)
        yield (
            to_cell(name),
            classes[given] if earlier is None else to_cell(earlier.label),
            classes[suggested],
            "" if shown is None else f"{probabilities[index, shown]:.4f}",
            f"{probabilities[index, suggested]:.4f}",
            COPY if copied else JUDGED,
            to_cell(kept.names[partner[index]]) if copied else "",
            "" if earlier is None else _as_filled_in(earlier),
        )
    for each in corrected.values():
        yield (
            to_cell(each.picture),
            to_cell(each.label),
            *[""] * 3,
            BEFORE,
            "",
            _as_filled_in(each),
        )


def _partners(kept: OutOfFold) -> dict[int, int]:
    """For each picture that has a copy with another label the first such copy."""
    differing = kept.labels[kept.copies[:, 0]] != kept.labels[kept.copies[:, 1]]
    partner: dict[int, int] = {}
    for one, other in kept.copies[differing].tolist():
        partner.setdefault(one, other)
        partner.setdefault(other, one)
    return partner


def _as_filled_in(each: Correction) -> str:
    return DROP if each.corrected == DROP else to_cell(each.corrected)
