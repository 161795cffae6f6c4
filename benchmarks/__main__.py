"""``make bench``: every measurement, one after the other; results in ``benchmarks/results/``."""

import subprocess
import sys
from pathlib import Path

SCRIPTS = ("tensorflow_parity", "ops", "imports", "training")


def main() -> int:
    """Run every script in a process of its own; the first that fails ends it."""
    for name in SCRIPTS:
        print(f"== {name}", flush=True)
        script = Path(__file__).with_name(f"{name}.py")
        status = subprocess.run([sys.executable, script], check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
