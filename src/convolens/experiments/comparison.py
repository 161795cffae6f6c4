"""Comparing trained classifiers: on the same pictures, over their seeds where there are several."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist, variance
from typing import Any

from convolens.data import DataSource
from convolens.data.surveying import OnProgress, silent
from convolens.errors import ConfigError
from convolens.evaluation import compare_paired
from convolens.evaluation.comparing import POWER
from convolens.experiments.contestants import (
    CONFIDENCE,
    Contestant,
    NamedPictures,
    Part,
    enter,
    half_width,
    members_of,
    of_pictures,
    own_pictures,
)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Between the best contestant and another one."""

    other: str
    """Its name."""
    difference: float
    """Accuracy of the best less its own, 0 or more."""
    low: float
    """Lower end of the interval of the difference."""
    high: float
    """Upper end."""
    confidence: float
    """Of that interval: where there are several to be told from the best each is surer, so that
    all hold together with 95 %."""
    told: bool
    """Whether the best one is better, or it cannot be told."""
    would_tell: int | None
    """About how many pictures would tell a difference as it was seen; None where none was seen, or
    where more pictures would not do, since other seeds differ as much."""
    only_best: int | None
    """Of two models: pictures that the best one alone judged rightly; None of several seeds."""
    only_other: int | None
    """Likewise the other one."""
    p_value: float | None
    """Of McNemar's exact test, likewise."""
    method: str
    """How the interval was made."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return dict(vars(self))


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
    """Some contestants, the best first."""

    pictures: str
    """Which they were judged on, in words."""
    n: int
    """How many pictures."""
    contestants: tuple[Contestant, ...]
    """By accuracy, the highest first."""
    differences: tuple[Difference, ...]
    """Of each but the first from the first, in the same order."""

    @property
    def verdict(self) -> str:
        """One plain sentence: which is better, or that it cannot be told and what would tell."""
        best = self.contestants[0].name
        open_ = [each for each in self.differences if not each.told]
        if not open_:
            first, *more = self.differences
            others = "all others" if more else first.other
            return f"{best} is better than {others}{self._reserve()}."
        told = " and ".join(each.other for each in self.differences if each.told)
        names = " and ".join(each.other for each in open_)
        sentence = f"It cannot be told whether {best} is better than {names}"
        sentence += f"; it is better than {told}{self._reserve()}." if told else "."
        return f"{sentence} {_what_would_tell(open_[0], self.n)}"

    def _reserve(self) -> str:
        """What must be said beside a verdict on pictures that are not new to all."""
        known = [each.name for each in self.contestants if each.trained_on]
        if not known:
            return ""
        return f" on these pictures, some of which {' and '.join(known)} had in training"

    def to_dict(self) -> dict[str, Any]:
        """What ``convolens compare --json`` prints."""
        return {
            "pictures": self.pictures,
            "n": self.n,
            "runs": [each.to_dict() for each in self.contestants],
            "differences": [each.to_dict() for each in self.differences],
            "better": self.contestants[0].name if all(d.told for d in self.differences) else None,
            "verdict": self.verdict,
        }

    def __str__(self) -> str:
        """A table and the verdict, for a terminal."""
        width = max(len("run"), *(len(each.name) for each in self.contestants))
        gaps: list[Difference | None] = [None, *self.differences]
        lines = [
            (
                f"{'run':<{width}}  seeds  accuracy            95 %     behind the best  parameters"
                "      size  training"
            )
        ]
        for each, gap in zip(self.contestants, gaps, strict=True):
            low, high = each.interval
            behind = "" if gap is None else f"{gap.low:+.2%} to {gap.high:+.2%}"
            trained = "" if each.train_seconds is None else f"{each.train_seconds:,.0f} s"
            lines.append(
                f"{each.name:<{width}}  {len(each.right):5}  {each.accuracy:8.2%}  "
                f"{f'{low:.1%} to {high:.1%}':>14}  {behind:>18}  {each.parameters:10,}  "
                f"{each.bytes / 1e6:5.1f} MB  {trained:>8}"
            )
        return "\n".join([*lines, "", self.verdict])


def compare(
    runs: Sequence[str | Path],
    data: DataSource | None = None,
    *,
    split: str | None = None,
    on_progress: OnProgress = silent,
    **options: Any,
) -> Comparison:
    """Judge several trained classifiers on the same pictures, and say which is better.

    Args:
        runs: at least two, each a run's folder, a bundle, or the folder of ``--seeds N``, whose
            runs count as one contestant with so many seeds.
        data: what to judge on; by default the test pictures of the runs' own data set, which must
            then be the same for all.
        split: of it, as for :func:`convolens.data.load_pictures`; "test" of the runs' own.
        on_progress: as for ``load_data``.
        **options: of ``load_data``, with ``data`` alone.

    Returns:
        All of them with their differences from the best.

    Raises:
        ConfigError: fewer than two, one of them twice, runs of different data without ``data``, or
            a bundle without a run and without ``data``.
        ModelError: one is no model.
        DataError: the data cannot be found, have changed, or have classes that a model lacks.
    """
    names = [str(each) for each in runs]
    if len(names) < 2:
        raise ConfigError(f"a comparison needs at least two runs; got {len(names)}")
    places = [Path(name).resolve() for name in names]
    if len(set(places)) < len(places):
        twice = next(
            name for name, place in zip(names, places, strict=True) if places.count(place) > 1
        )
        raise ConfigError(f"{twice} is given twice; a comparison needs different runs")
    members = [members_of(Path(name)) for name in names]
    if data is None:
        if options:
            raise ConfigError(f"{', '.join(options)}: options of a data set need a data set")
        source = own_pictures([path for each in members for path in each], split or "test")
    else:
        source = NamedPictures(data, split, options, on_progress)
    entered = [enter(name, paths, source) for name, paths in zip(names, members, strict=True)]
    entered.sort(key=lambda each: -each.accuracy)
    best, *others = entered
    # The best one is chosen by the same pictures: as if each had been compared with each.
    confidence = 1 - (1 - CONFIDENCE) / math.comb(len(entered), 2)
    return Comparison(
        pictures=source.words,
        n=best.right.shape[1],
        contestants=tuple(entered),
        differences=tuple(difference(best, other, confidence) for other in others),
    )


def difference(best: Contestant, other: Contestant, confidence: float) -> Difference:
    """Of two contestants that were judged on the same pictures.

    Two single models are compared as they are, picture by picture. Where a contestant has several
    seeds the recipes are compared: the mean of each has a variance from its seeds, and the
    difference one from the pictures; Student's t with Welch and Satterthwaite's degrees of freedom.
    A single model then is taken to vary as much as the others do.

    Args:
        best: of the higher accuracy.
        other: the other one.
        confidence: of the interval.

    Source: B. Welch, "The generalization of Student's problem when several different population
    variances are involved", 1947.
    """
    if len(best.right) == len(other.right) == 1:
        paired = compare_paired(best.right[0], other.right[0], confidence=confidence)
        return Difference(
            other=other.name,
            difference=paired.difference,
            low=paired.low,
            high=paired.high,
            confidence=confidence,
            told=paired.better == 0,
            would_tell=paired.would_tell,
            only_best=paired.only_one,
            only_other=paired.only_other,
            p_value=paired.p_value,
            method="paired bootstrap over the pictures; told by McNemar's exact test",
        )
    gap = best.accuracy - other.accuracy
    pictures = of_pictures(best.right.mean(axis=0) - other.right.mean(axis=0))
    seeds = _of_seeds(best, other)
    half = half_width([pictures, *seeds], confidence)
    return Difference(
        other=other.name,
        difference=gap,
        low=gap - half,
        high=gap + half,
        confidence=confidence,
        told=gap - half > 0,
        would_tell=_would_tell(
            gap, pictures[0] * best.right.shape[1], sum(part for part, _ in seeds), confidence
        ),
        only_best=None,
        only_other=None,
        p_value=None,
        method="Student's t (Welch) over pictures and seeds",
    )


def _of_seeds(*both: Contestant) -> list[Part]:
    """For each the variance of its mean over seeds, and the degrees of freedom of that."""
    several = [each for each in both if len(each.right) > 1]
    freedom = sum(len(each.right) - 1 for each in several)
    pooled = sum(variance(each.accuracies) * (len(each.right) - 1) for each in several) / freedom
    if len(several) < len(both):  # one estimate, for a mean of several and for a single model
        return [(pooled * sum(1 / len(each.right) for each in both), freedom)]
    return [(variance(each.accuracies) / len(each.right), len(each.right) - 1) for each in both]


def _would_tell(gap: float, of_one: float, seeds: float, confidence: float) -> int | None:
    """Pictures with which the interval leaves out 0 with a probability of 0.8."""
    if gap <= 0:
        return None
    normal = NormalDist()
    wanted = (gap / (normal.inv_cdf((1 + confidence) / 2) + normal.inv_cdf(POWER))) ** 2
    return math.ceil(of_one / (wanted - seeds)) if wanted > seeds else None


def _rounded(number: int) -> int:
    """To two digits: more would pretend to be exact."""
    return round(number, 2 - len(str(number)))


def _what_would_tell(gap: Difference, n: int) -> str:
    if gap.would_tell is None and gap.p_value is None and gap.difference > 0:
        return (
            f"More pictures than these {n:,} would not do: seeds differ as much. Train more seeds."
        )
    if gap.would_tell is None:
        return f"Both judge the same number of these {n:,} pictures rightly."
    if gap.would_tell <= n:
        return f"These {n:,} pictures could just have told such a difference, and did not."
    return (
        f"If the difference is {gap.difference:.2%} as it was seen, about "
        f"{_rounded(gap.would_tell):,} pictures of this kind would tell; these were {n:,}."
    )
