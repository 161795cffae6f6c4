"""Whether so many files of a data set are bad that training on the rest would mislead."""

from collections import Counter

from convolens.data.catalogue import KNOWN_DATASETS
from convolens.data.datasets import Dataset
from convolens.data.problems import PROBLEM_KINDS, Problem, by_gravity
from convolens.errors import ConfigError, DataError


def bad_share(dataset: Dataset) -> float:
    """The share of bad files among all that were meant to be used.

    Bad is what was skipped as unreadable, damaged, without a label and so on
    (``PROBLEM_KINDS[kind].bad``). What was skipped on purpose, like a text file or what a sample
    leaves out, counts neither way.

    Args:
        dataset: as it was read.

    Returns:
        0..1: bad / (used + left out on purpose + bad).

    >>> from convolens.data import load_data
    >>> bad_share(load_data("digits"))
    0.0
    """
    bad = len(_bad(dataset))
    return bad / (_wanted(dataset) + bad)


def is_official(dataset: Dataset) -> bool:
    """Whether this is one of the known data sets, of which every file is checked against a sum.

    A folder of the same name is not.
    """
    known = KNOWN_DATASETS.get(dataset.name)
    return known is not None and dataset.source == known.homepage


def refuse_bad(dataset: Dataset, limit: float) -> None:
    """Stop where more than a share of the files are bad.

    Args:
        dataset: as it was read.
        limit: the largest share that is accepted, 0..1.

    Raises:
        DataError: more are bad; the message counts them by kind and names the gravest.
        ConfigError: the limit is not within 0..1.

    >>> from convolens.data import load_data
    >>> refuse_bad(load_data("digits"), 0.01)
    """
    if isinstance(limit, bool) or not 0 <= limit <= 1:
        raise ConfigError(f"max_bad is {limit!r}; allowed: a share, 0 to 1")
    share = bad_share(dataset)
    if share <= limit:
        return
    bad = by_gravity(_bad(dataset))
    counts = Counter(problem.kind for problem in bad)
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in counts.items())
    raise DataError(
        f"{dataset.name}: {len(bad):,} of {_wanted(dataset) + len(bad):,} files are bad "
        f"({100 * share:.2g} %; allowed: {100 * limit:.2g} %): {kinds}; the first is "
        f"{bad[0].path}: {bad[0].reason}; see all with `convolens data {dataset.source}` and mend "
        "them, or raise --max-bad"
    )


def refuse_one_class(dataset: Dataset) -> None:
    """Stop where the training part has pictures of one class alone: nothing can be learned.

    Raises:
        DataError: it has.
    """
    present = set(dataset.train.labels.tolist())
    if len(present) < 2:
        (only,) = present
        raise DataError(
            f"{dataset.name}: all {len(dataset.train):,} training images are of one class, "
            f"{dataset.class_names[only]!r}; add pictures of the others"
        )


def _wanted(dataset: Dataset) -> int:
    return dataset.n_used + dataset.left_out


def _bad(dataset: Dataset) -> list[Problem]:
    return [problem for problem in dataset.skipped if PROBLEM_KINDS[problem.kind].bad]
