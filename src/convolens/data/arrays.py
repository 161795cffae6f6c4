"""A data set from arrays, tensors, scikit-learn's (X, y), or lists of pictures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from convolens.config import choose
from convolens.data.array_labels import match_groups, match_labels
from convolens.data.array_pictures import Fault, Pictures, PictureStack, Target, as_pictures
from convolens.data.array_rows import RowNames, of, row_name
from convolens.data.array_values import PixelScale
from convolens.data.geometry import LONGEST_SIDE, check_size
from convolens.data.listing import SPLIT_NAMES
from convolens.data.pool import UNDIVIDED, Pool
from convolens.data.problems import Problem
from convolens.errors import ConfigError, DataError
from convolens.images import FIT_POLICIES


def pool_from_arrays(
    parts: Mapping[str | None, tuple[Any, Any]],
    *,
    name: str = "arrays",
    source: str = "arrays in memory",
    shape: Sequence[int] | None = None,
    channels_first: bool = False,
    value_range: Sequence[float] | None = None,
    size: int | Sequence[int] | None = None,
    channels: int | None = None,
    fit: str = "pad",
    class_names: Sequence[str] | None = None,
    groups: Any = None,
) -> Pool:
    """Gather pictures and labels that are in memory.

    Pixels become uint8: booleans are black and white, uint8 stays, uint16 is divided by 257,
    floats of 0..1 are multiplied by 255 and rounded, other whole numbers must be in 0..255 and
    stay. The scale is decided over everything that is given, and any other one has to be named by
    ``value_range``. A row with NaN or infinity, or without a usable label, is skipped.

    Args:
        parts: "train", "validation", "test", or None for what is not divided, to (X, y). X is an
            array or a tensor (n, height, width) or (n, height, width, channels), flat rows
            (n, values), or a list of pictures of any sizes: arrays, tensors, paths, bytes, Pillow
            images. y are n labels: see :func:`~convolens.data.array_labels.match_labels`.
        name: what the data set is called.
        source: where it is from.
        shape: of flat rows: (height, width) or (height, width, channels).
        channels_first: whether channels come before height, in arrays or inside flat rows. It is
            never guessed.
        value_range: (darkest, brightest) that a pixel can be, such as (0, 16) for scikit-learn's
            digits.
        size: side of a square, or (height, width), that all are brought to. None: their own if all
            have one, else a square of their median longer side, at most ``LONGEST_SIDE``.
        channels: 1 or 3; None: 3 if any picture has colour. Alpha is composited on white.
        fit: "pad", "crop" or "stretch"; see :func:`convolens.images.fit_image`.
        class_names: names by label, or the texts allowed.
        groups: part to n numbers or texts, or these alone where there is one part: rows of one
            group stay together in a division. A row without one, or of a part without, is alone.

    Returns:
        The pool, in the order train, validation, test, undivided. Pictures of a single part that
        need no change share the caller's memory.

    Raises:
        DataError: another layout, type or scale, counts that differ, or no usable row.
        ConfigError: an option that is not allowed.

    >>> pictures = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    >>> pool = pool_from_arrays({None: (pictures, ["cat", "", "dog"])})
    >>> pool.images.shape, pool.labels.tolist(), list(pool.names), pool.class_names
    ((2, 2, 2, 1), [0, 1], ['[0]', '[2]'], ('cat', 'dog'))
    >>> [(problem.path, problem.kind) for problem in pool.problems]
    [('[1]', 'missing_label')]
    """
    choose("fit policy", fit, dict.fromkeys(FIT_POLICIES))
    wanted, scale = None if size is None else check_size(size), PixelScale(value_range)
    if channels is True or channels not in (None, 1, 3):
        raise ConfigError(f"channels is {channels!r}; allowed: 1 (grey), 3 (RGB), None (as it is)")
    found = {
        split: (as_pictures(x, f"{of(split)}images", shape, channels_first=channels_first), y)
        for split, (x, y) in _in_order(parts).items()
    }
    matched = match_labels({split: y for split, (_, y) in found.items()}, class_names)
    usable = [
        _Part(split, pictures, matched.labels[split]) for split, (pictures, _) in found.items()
    ]
    problems = list(matched.problems)
    shapes = np.concatenate([part.survey(scale, problems) for part in usable])
    _check_any(shapes, problems, usable)
    scale.settle()
    target = _target(shapes, wanted, channels, fit)
    images = _filled(usable, scale, target, problems)
    _check_any(images, problems, usable)
    kept = [part.rows for part in usable]
    return Pool(
        name=name,
        source=source,
        images=images,
        labels=np.concatenate([part.labels[part.rows] for part in usable]),
        class_names=matched.class_names,
        names=RowNames([part.split for part in usable], kept),
        given=np.repeat([_given(part.split) for part in usable], [len(rows) for rows in kept]),
        groups=_matched_groups(groups, usable),
        problems=tuple(problems),
        fit=fit,
    )


@dataclass(eq=False)
class _Part:
    split: str | None
    pictures: Pictures
    labels: NDArray[np.int64]
    """(n,), -1 for a row without one."""

    def __post_init__(self) -> None:
        if len(self.pictures) != len(self.labels):
            single = "; a single picture goes into a list" if len(self.labels) == 1 else ""
            raise DataError(
                f"{of(self.split)}{len(self.pictures):,} images with {len(self.labels):,} labels; "
                f"each image needs exactly one label{single}"
            )
        self.rows = np.flatnonzero(self.labels >= 0)

    def survey(self, scale: PixelScale, problems: list[Problem]) -> NDArray[np.int64]:
        """Drop the rows that cannot be used; the shapes (k, 3) of the others."""
        shapes, faults = self.pictures.survey(self.rows, scale)
        return shapes[self._drop(faults, problems)]

    def fill(
        self, out: NDArray[np.uint8], scale: PixelScale, target: Target, problems: list[Problem]
    ) -> NDArray[np.bool_]:
        """Write the pictures, drop those that fail, and say which are left."""
        return self._drop(self.pictures.fill(out, self.rows, scale, target), problems)

    def _drop(self, faults: Sequence[Fault], problems: list[Problem]) -> NDArray[np.bool_]:
        problems += [fault.problem(row_name(self.split, fault.row)) for fault in faults]
        kept = ~np.isin(self.rows, [fault.row for fault in faults if fault.skipped])
        self.rows = self.rows[kept]
        return kept


def _in_order(
    parts: Mapping[str | None, tuple[Any, Any]],
) -> dict[str | None, tuple[Any, Any]]:
    """The parts in one order whatever the caller's, so that the same data are the same set."""
    if not parts:
        raise DataError("no arrays; allowed: (X, y) for train, validation, test or None")
    for split, pair in parts.items():
        if split is not None:
            choose("split", split, dict.fromkeys(SPLIT_NAMES))
        if not isinstance(cast("object", pair), tuple | list) or len(pair) != 2:
            raise DataError(f"{of(split)}data are no pair; allowed: (X, y), pictures and labels")
    return {split: parts[split] for split in (*SPLIT_NAMES, None) if split in parts}


def _given(split: str | None) -> int:
    return UNDIVIDED if split is None else SPLIT_NAMES.index(split)


def _check_any(pictures: NDArray[Any], problems: Sequence[Problem], parts: Sequence[_Part]) -> None:
    if len(pictures) == 0:
        kinds = Counter(problem.kind for problem in problems if problem.skipped)
        counts = ", ".join(f"{n:,} {kind}" for kind, n in kinds.items())
        first = next(problem for problem in problems if problem.skipped)
        n = sum(len(part.labels) for part in parts)
        raise DataError(
            f"none of {n:,} pictures can be used: {counts}; the first, {first.path}: {first.reason}"
        )


def _target(
    shapes: NDArray[np.int64], size: tuple[int, int] | None, channels: int | None, fit: str
) -> Target:
    sizes = shapes[:, :2]
    if size is None and (sizes == sizes[0]).all():
        size = (int(sizes[0, 0]), int(sizes[0, 1]))
    elif size is None:
        side = min(LONGEST_SIDE, int(np.median(sizes.max(axis=1))))
        size = (side, side)
    return Target(*size, channels or int(shapes[:, 2].max()), fit)


def _filled(
    parts: Sequence[_Part], scale: PixelScale, target: Target, problems: list[Problem]
) -> NDArray[np.uint8]:
    if len(parts) == 1 and isinstance(parts[0].pictures, PictureStack):
        unchanged = parts[0].pictures.as_they_are(parts[0].rows, scale, target)
        if unchanged is not None:
            return unchanged
    ends = np.cumsum([len(part.rows) for part in parts])
    images = np.empty((int(ends[-1]), *target[:3]), dtype=np.uint8)
    places = np.split(images, ends[:-1])
    kept = [
        part.fill(place, scale, target, problems) for part, place in zip(parts, places, strict=True)
    ]
    everything = np.concatenate(kept)
    return images if everything.all() else images[everything]


def _matched_groups(groups: Any, parts: Sequence[_Part]) -> NDArray[np.int64] | None:
    if groups is None:
        return None
    if not isinstance(groups, Mapping):
        if len(parts) > 1:
            raise DataError("groups are one list for several parts; allowed: part to its groups")
        groups = {parts[0].split: groups}
    by_split = cast("Mapping[str | None, Any]", groups)
    if unknown := [split for split in by_split if split not in {part.split for part in parts}]:
        raise DataError(f"groups of {unknown[0]}, of which there are no pictures; leave them out")
    given = {part.split: by_split.get(part.split, [None] * len(part.labels)) for part in parts}
    found = match_groups(given)
    for part in parts:
        if len(found[part.split]) != len(part.labels):
            raise DataError(
                f"{of(part.split)}{len(part.labels):,} images with {len(found[part.split]):,} "
                "groups; each image needs exactly one"
            )
    return np.concatenate([found[part.split][part.rows] for part in parts])
