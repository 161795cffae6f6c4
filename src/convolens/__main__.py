"""``python -m convolens`` is the same as ``convolens``."""

import time

STARTED = time.perf_counter()  # before anything else is imported: a budget of time counts from here

import sys  # noqa: E402


def run() -> int:
    """The command, as a process: Ctrl-C ends it in order even while it is still starting."""
    try:
        from convolens.cli.main import main

        return main(started=STARTED)
    except KeyboardInterrupt:
        sys.stderr.write("convolens: interrupted\n")
        return 130


if __name__ == "__main__":
    sys.exit(run())
