"""The command ``convolens``: its verbs, and what becomes of errors.

Exit status: 0 done, 1 the work failed, 2 the user's input was wrong, 130 interrupted. An error is
one line on standard error; ``--debug`` adds the traceback.
"""

import errno
import io
import os
import sys
import time
import traceback
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from convolens import __version__
from convolens.cli.compare import compare
from convolens.cli.cv import cv
from convolens.cli.data import data
from convolens.cli.evaluate import evaluate
from convolens.cli.explain import explain
from convolens.cli.invocation import Interrupted, Invocation
from convolens.cli.predict import predict
from convolens.cli.see import see
from convolens.cli.tour import tour
from convolens.cli.train import train
from convolens.cli.tune import tune
from convolens.errors import ConvolensError

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130
_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}

app = typer.Typer(
    help="See, train and trust convolutional image classifiers, on an ordinary computer.",
    epilog="Start with: convolens tour. Help on a command: convolens train --help.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (tour, see, data, train, evaluate, compare, predict, explain, cv, tune):
    app.command()(command)


def main(arguments: Sequence[str] | None = None, *, started: float | None = None) -> int:
    """Run one command.

    Args:
        arguments: those after the program's name; by default the process's own.
        started: ``time.perf_counter()`` at the beginning, from which a budget of time counts; by
            default now.

    Returns:
        The exit status.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    begin = time.perf_counter() if started is None else started
    debug = "--debug" in given
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name need not be text, and a terminal need not have every letter.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        words = [word for word in given if word != "--debug"]
        how = Invocation(words=tuple(words), started=begin)
        status = app(words, prog_name="convolens", standalone_mode=False, obj=how)
    except TyperException as error:
        if not error.format_message():  # no command: the help was printed in its place
            return WRONG_INPUT
        return _say(_usage_message(error), WRONG_INPUT)
    except ConvolensError as error:
        return _say(str(error), WRONG_INPUT, debug=debug)
    except Interrupted as stop:
        return _say("interrupted", INTERRUPTED, hint=str(stop))
    except (KeyboardInterrupt, typer.Abort):
        return _say("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output went away, as `| head` does. Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # noqa: BLE001 - the last resort: one line, not a traceback
        return _say(_failure(error), FAILED, debug=debug)
    if status == INTERRUPTED:  # typer makes this of Ctrl-C, and says nothing
        return _say("interrupted", INTERRUPTED)
    return status if isinstance(status, int) else DONE


@app.callback(invoke_without_command=True)
def _options(
    version: bool = typer.Option(False, "--version", help="Show the version and exit."),
    debug: bool = typer.Option(False, "--debug", help="Show a traceback with an error."),  # noqa: ARG001
) -> None:
    if version:
        typer.echo(f"convolens {__version__}")
        raise typer.Exit


def _usage_message(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "convolens"
    message = error.format_message().rstrip(".")
    rejected = getattr(error.__cause__, "errors", list)()  # those of pydantic, which typer asks
    got = f" (got {rejected[0]['input']!r})" if rejected else ""
    return f"{message}{got}{'' if message.endswith('?') else '.'} See: {command} --help"


def _failure(error: Exception) -> str:
    if isinstance(error, OSError):
        if error.errno is None and error.args:  # one of ours, which says all
            return str(error)
        if error.errno in _FULL:
            where = f" at {error.filename}" if error.filename else ""
            return f"there is no room left{where} ({error.strerror}); make room, then try again"
    return f"{type(error).__name__}: {error}"


def _say(message: str, status: int, *, debug: bool = False, hint: str = "") -> int:
    if debug:
        traceback.print_exc()
    line = " ".join(message.split())
    print(f"convolens: {line}", file=sys.stderr)  # noqa: T201
    if hint:  # the last line, and as it is: it may be copied
        print(hint, file=sys.stderr)  # noqa: T201
    return status
