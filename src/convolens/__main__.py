"""``python -m convolens`` is the same as ``convolens``."""

import sys

from convolens.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
