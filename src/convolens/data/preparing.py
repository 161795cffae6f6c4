"""From a listing of files to pictures on disk, ready to be trained on.

Every file is read twice at most: once for its digest and its head, once to be decoded. What was
found out is kept (:mod:`convolens.data.index`), and so are the pixels
(:mod:`convolens.data.pixel_cache`), so that the next run does neither.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from convolens.data.cache import cache_directory, make_folder
from convolens.data.classes import match_classes
from convolens.data.geometry import choose_shape, unusual_sizes
from convolens.data.index import Survey, SurveyIndex, root_digest
from convolens.data.listing import SPLIT_NAMES, Entry, Listing
from convolens.data.options import Preparation
from convolens.data.pixel_cache import PixelTarget, PreparedPixels, prepared_pixels
from convolens.data.pool import UNDIVIDED, Pool
from convolens.data.problems import Problem
from convolens.data.surveying import (
    OnProgress,
    ending,
    enough_workers,
    reading_tasks,
    silent,
    survey,
    was_there,
)
from convolens.errors import DataError
from convolens.images.fitting import Fitting
from convolens.images.reading_pool import fit_pictures

_TELL_EVERY = 32  # pictures


def prepare_listing(
    listing: Listing, preparation: Preparation, on_progress: OnProgress = silent
) -> Pool:
    """Look at every file of a listing, decode what is good, and open it as one array on disk.

    The user's files are only read. Two processes that prepare the same listing take turns, and the
    second finds the work done.

    Args:
        listing: from a reader.
        preparation: size, channels, policy and limits.
        on_progress: called from time to time, in this thread.

    Returns:
        The usable pictures; its problems name every file that is not used.

    Raises:
        DataError: no picture is usable, or the cache has no room.
        ConfigError: a setting that is not allowed.
    """
    locks = make_folder(cache_directory() / "locks")
    lock = FileLock(locks / f"{root_digest(listing.root)}.lock")
    with lock, closing(SurveyIndex(listing.root, preparation.limits)) as index:
        surveys = survey(listing, index, preparation.limits, preparation.workers, on_progress)
        good = [number for number, found in enumerate(surveys) if not found.verdict]
        if not good:
            raise DataError(_nothing_usable(listing, surveys))
        heights = np.array([surveys[number].facts.height for number in good])
        widths = np.array([surveys[number].facts.width for number in good])
        grey = np.array([surveys[number].facts.channels == 1 for number in good])
        shape = choose_shape(heights, widths, grey, preparation.size, preparation.channels)
        fitting = Fitting(*shape, preparation.fit)
        entries = [listing.entries[number] for number in good]
        digests = b"".join(surveys[number].sha256 for number in good)
        contents = np.frombuffer(digests, dtype=np.uint8).reshape(-1, 32)

        def fill(target: PixelTarget) -> None:
            _decode(listing, entries, contents, fitting, target, preparation, on_progress)

        pixels = prepared_pixels(contents, fitting, fill)
    names = [entry.name for entry in entries]
    if not pixels.usable.any():
        kind, reason = next(iter(pixels.refused.values()))
        raise DataError(f"{listing.root}: no picture can be used; the first is {kind}: {reason}")
    problems = [
        *listing.problems,
        *_refusals(listing.entries, surveys),
        *(
            Problem(kind=kind, path=names[row], reason=reason, skipped=True)
            for row, (kind, reason) in pixels.refused.items()
        ),
        *_notes(entries, [surveys[number] for number in good]),
        *unusual_sizes(names, heights, widths),
    ]
    return _pool(listing, entries, pixels, fitting, problems)


def _decode(
    listing: Listing,
    entries: Sequence[Entry],
    contents: NDArray[np.uint8],
    fitting: Fitting,
    target: PixelTarget,
    preparation: Preparation,
    on_progress: OnProgress,
) -> None:
    missing = np.flatnonzero(~target.rows["usable"]).tolist()
    n = len(missing)
    unread: dict[int, tuple[str, str]] = {}
    tasks = reading_tasks(listing, missing, entries, unread, contents)
    answers = fit_pictures(
        tasks,
        preparation.limits,
        fitting,
        str(target.path),
        target.offset,
        workers=enough_workers(preparation.workers, n),
    )
    with ending(answers):
        for done, (number, answer) in enumerate(answers, start=1):
            if answer[0]:
                target.refused[number] = (was_there(answer[0]), answer[1])
            else:
                target.rows["crc32"][number] = answer[1]
                target.rows["usable"][number] = True
            if done % _TELL_EVERY == 0 or done == n:
                on_progress("preparing pictures", done, n)
    if unread:
        on_progress("preparing pictures", n, n)
    for number in np.flatnonzero(~target.rows["usable"]).tolist():
        _, reason = unread.get(number, ("", "it is not there any more"))
        why = ("vanished", f"could not be read a second time: {reason}")
        target.refused.setdefault(number, why)


def _refusals(entries: Sequence[Entry], surveys: Sequence[Survey]) -> Iterator[Problem]:
    for entry, found in zip(entries, surveys, strict=True):
        if found.verdict:
            yield Problem(kind=found.verdict, path=entry.name, reason=found.reason, skipped=True)


def _notes(entries: Iterable[Entry], surveys: Iterable[Survey]) -> Iterator[Problem]:
    for entry, found in zip(entries, surveys, strict=True):
        if note := found.facts.note:
            yield Problem(kind="animation", path=entry.name, reason=note, skipped=False)


def _nothing_usable(listing: Listing, surveys: Sequence[Survey]) -> str:
    if not surveys:
        return f"{listing.root}: there is no picture in it"
    first = listing.entries[0]
    return (
        f"{listing.root}: none of {len(surveys):,} files can be used; "
        f"the first, {first.name}: {surveys[0].reason}"
    )


def _pool(
    listing: Listing,
    entries: Sequence[Entry],
    pixels: PreparedPixels,
    fitting: Fitting,
    problems: Sequence[Problem],
) -> Pool:
    usable = np.flatnonzero(pixels.usable)
    kept = [entries[row] for row in usable.tolist()]
    class_names, labels, empty = _classes(kept, listing.class_names)
    numbers = {name: number for number, name in enumerate(SPLIT_NAMES)}
    given = [UNDIVIDED if entry.split is None else numbers[entry.split] for entry in kept]
    return Pool(
        name=listing.name,
        source=str(listing.root),
        images=pixels.images.select(usable),
        labels=labels,
        class_names=class_names,
        names=[entry.name for entry in kept],
        given=np.array(given, dtype=np.int64),
        groups=_groups(kept),
        problems=(*problems, *empty),
        fit=fitting.policy,
        folder=pixels.folder,
    )


def _classes(
    entries: Sequence[Entry], named: tuple[str, ...] | None
) -> tuple[tuple[str, ...], NDArray[np.int64], list[Problem]]:
    """The classes that have a usable picture, each picture's label, and what became of the others.

    A class without a picture cannot be learned, and a model that names it would claim otherwise.
    """
    used = {entry.label for entry in entries}
    kept = None if named is None else tuple(name for name in named if name in used)
    empty = [
        Problem(
            kind="empty_class",
            path=name,
            reason="none of its pictures can be used; the class is left out",
            skipped=False,
        )
        for name in named or ()
        if name not in used
    ]
    class_names, labels = match_classes([entry.label for entry in entries], kept)
    return class_names, labels, empty


def _groups(entries: Sequence[Entry]) -> NDArray[np.int64] | None:
    """A number for each group; an entry without one is a group of its own."""
    if all(entry.group is None for entry in entries):
        return None
    numbers: dict[tuple[bool, str | int], int] = {}
    keys = (
        (True, entry.group) if entry.group is not None else (False, position)
        for position, entry in enumerate(entries)
    )
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)
