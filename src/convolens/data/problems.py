"""What can be wrong with a data set, and what to do about each."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong, or that a user should know."""

    kind: str
    """A key of :data:`PROBLEM_KINDS`."""
    path: str
    """Where: a file's path, a row of a table as ``table.csv[17]``, a picture of a split as
    ``test[3]``, a split's or a class's name."""
    reason: str
    """What, in one line."""
    skipped: bool
    """Whether a file or a row was left out because of that: one such entry for each left out."""


@dataclass(frozen=True, kw_only=True)
class ProblemKind:
    """What all problems of one kind have in common."""

    title: str
    """A heading."""
    advice: str
    """What to do, in one sentence."""
    bad: bool = False
    """Whether a file skipped for this counts as a bad one: a picture that was meant to be used."""
    spoils: bool = False
    """Whether it makes the figures of a model wrong."""


# The order is that of gravity: first what makes a result wrong, last what is good to know.
PROBLEM_KINDS: dict[str, ProblemKind] = {
    # What makes the figures at the end wrong.
    "duplicate_across_splits": ProblemKind(
        title="The same picture in two splits",
        advice="Remove it from one of them: the accuracy on the test part is flattered by it.",
        spoils=True,
    ),
    "near_duplicate_across_splits": ProblemKind(
        title="Nearly the same picture in two splits",
        advice="Look at the pairs; keep each pair on one side, for instance by a group column.",
        spoils=True,
    ),
    "contradictory_labels": ProblemKind(
        title="The same picture under two classes",
        advice="Decide which label is right and remove the other copy.",
        spoils=True,
    ),
    "missing_class": ProblemKind(
        title="A class without a picture in some split",
        advice="Add pictures of it there, or remove the class everywhere.",
        spoils=True,
    ),
    "split_as_class": ProblemKind(
        title="A class that is called like a split",
        advice="Move the folders beside it away if it is one: its classes are mixed up in it.",
        spoils=True,
    ),
    "case_twins": ProblemKind(
        title="Class names that differ only in case or spaces",
        advice="Rename one folder or label if they mean the same; they are two classes until then.",
        spoils=True,
    ),
    # Files and rows that were left out.
    "unreadable": ProblemKind(
        title="Files that cannot be opened",
        advice="Check their permissions, and that the disk is all there.",
        bad=True,
    ),
    "missing_file": ProblemKind(
        title="Files that are named but do not exist",
        advice="Correct the paths in the table; they count from the table's own folder.",
        bad=True,
    ),
    "empty_file": ProblemKind(
        title="Files of zero bytes",
        advice="Copy or download them again.",
        bad=True,
    ),
    "not_an_image": ProblemKind(
        title="Files that are no pictures",
        advice="Remove them, or convert them to JPEG or PNG.",
        bad=True,
    ),
    "other_format": ProblemKind(
        title="Pictures in a format that is not read",
        advice="Convert them to JPEG or PNG.",
        bad=True,
    ),
    "damaged": ProblemKind(
        title="Truncated or damaged pictures",
        advice="Copy or download them again, or remove them.",
        bad=True,
    ),
    "too_large": ProblemKind(
        title="Files over a limit",
        advice="Make them smaller, or raise the limit.",
        bad=True,
    ),
    "too_slow": ProblemKind(
        title="Files that took too long or too much memory",
        advice="Save them again in a plain format, or remove them.",
        bad=True,
    ),
    "crashed": ProblemKind(
        title="Files that crashed the decoder",
        advice="Save them again in a plain format, or remove them.",
        bad=True,
    ),
    "not_finite": ProblemKind(
        title="Pictures with NaN or infinite values",
        advice="Mend or remove these rows.",
        bad=True,
    ),
    "missing_label": ProblemKind(
        title="Pictures without a label",
        advice="Label them, or remove them.",
        bad=True,
    ),
    "label_out_of_range": ProblemKind(
        title="Labels outside the classes",
        advice="Correct these labels, or add the missing class names.",
        bad=True,
    ),
    "unknown_split": ProblemKind(
        title="Pictures whose split is not named as others' is",
        advice="Write train, validation or test there.",
        bad=True,
    ),
    "vanished": ProblemKind(
        title="Files that disappeared or changed while they were read",
        advice="Run the command again when nothing else writes to the folder.",
        bad=True,
    ),
    "other_file": ProblemKind(
        title="Files that are not pictures by their names",
        advice="Nothing needs to be done.",
    ),
    "outside_classes": ProblemKind(
        title="Pictures that lie in no class's folder",
        advice="Move them into the folder of their class.",
        bad=True,
    ),
    "link_loop": ProblemKind(
        title="Links to folders that are read already",
        advice="Nothing needs to be done.",
    ),
    "not_in_sample": ProblemKind(
        title="Left out of the sample",
        advice="Nothing needs to be done.",
    ),
    "not_in_split_file": ProblemKind(
        title="Not named in the split file",
        advice="Write a new split file if they are to be used.",
    ),
    "corrected": ProblemKind(
        title="Labels corrected by a list",
        advice="Check that there are as many as you filled in.",
    ),
    # What may spoil a model.
    "empty_class": ProblemKind(
        title="Class folders without a usable picture",
        advice="Add pictures, or remove the folder; the class is left out.",
    ),
    "small_class": ProblemKind(
        title="Classes with few pictures",
        advice="Add pictures, or merge the class with another.",
    ),
    "class_imbalance": ProblemKind(
        title="Classes of very different sizes",
        advice="Train with --class-weights balanced or --sampling balanced, and judge by class.",
    ),
    "duplicate": ProblemKind(
        title="The same picture twice in one split",
        advice="Remove the copies; they count double.",
    ),
    "near_duplicate": ProblemKind(
        title="Nearly the same picture twice in one split",
        advice="Look at the pairs, and remove those that add nothing.",
    ),
    "blank_image": ProblemKind(
        title="Blank or nearly blank pictures",
        advice="Look at them, and remove those that show nothing.",
    ),
    "unusual_size": ProblemKind(
        title="Pictures of unusual size or shape",
        advice="Look at them: they may be scans of whole pages, thumbnails or strips.",
    ),
    "animation": ProblemKind(
        title="Animations and files of several pages",
        advice="The first frame is used; save another one as a file if that is meant.",
    ),
    "labels_not_from_zero": ProblemKind(
        title="Labels that do not count from 0",
        advice="Nothing needs to be done: each value is a class of its own name.",
    ),
    "grouped": ProblemKind(
        title="Groups of pictures that stay on one side",
        advice="Check that there are as many as you expect.",
    ),
    "missing_split": ProblemKind(
        title="A split that is missing",
        advice="It is made from the others, or does without; see the counts.",
    ),
    "search_cut": ProblemKind(
        title="Near duplicates that may have been missed",
        advice="Remove the crowds of alike pictures that were found, and check again.",
    ),
}


def by_gravity(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The same problems, gravest kind first; inside a kind in the order given."""
    rank = {kind: position for position, kind in enumerate(PROBLEM_KINDS)}
    return tuple(sorted(problems, key=lambda problem: rank[problem.kind]))
