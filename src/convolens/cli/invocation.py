"""How the command was started: when, and with which words."""

import shlex
from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

import typer


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One start of the command; typer hands it on to every verb as the context's object."""

    words: tuple[str, ...]
    """After the program's name."""
    started: float
    """``time.perf_counter()`` when the process had hardly begun."""

    def again(self, *added: str, without: Collection[str] = ()) -> str:
        """The same command with other options, as a shell reads it.

        Args:
            *added: words at its end.
            without: options to leave out; one that takes a value is given as "--run=".

        >>> first = Invocation(words=("cv", "my data", "--run", "a", "--json"), started=0.0)
        >>> first.again("--run", "b", "--resume", without=("--run=", "--resume", "--json"))
        "convolens cv 'my data' --run b --resume"
        """
        kept: list[str] = []
        words = iter(self.words)
        for word in words:
            name = word.partition("=")[0]
            if name in without:
                continue
            if f"{name}=" in without:
                if name == word:  # its value is the next word
                    next(words, None)
                continue
            kept.append(word)
        return shlex.join(["convolens", *kept, *added])


class Interrupted(Exception):  # noqa: N818 - it is no error
    """A command was interrupted and knows how to go on.

    Args:
        hint: the last line that is said.
    """


def invocation(context: typer.Context) -> Invocation:
    """How the command was started that a context belongs to."""
    return cast("Invocation", context.find_root().obj)


def going_on(context: typer.Context, run: str) -> Interrupted:
    """That an experiment was interrupted, with the command that goes on with it."""
    without = ("--run=", "--resume")
    command = invocation(context).again("--run", run, "--resume", without=without)
    return Interrupted(f"go on with: {command}")
