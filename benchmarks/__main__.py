"""``make bench``: the measurements, one after the other; results in ``benchmarks/results/``.

python benchmarks [SCRIPT [its options]]
"""

import subprocess
import sys
from pathlib import Path

SCRIPTS = (
    "tensorflow_parity",
    "ops",
    "imports",
    "training",
    "goals",
    "reading",
    "cross_validation",
    "killing",
    "unknown",
    "predicting",
    "explaining",
    "report",
)
ON_REQUEST = ("gpu", "rules", "label_errors")  # one needs a GPU, the others hours


def main(asked: list[str]) -> int:
    """Run every script, or the one asked for, in a process of its own; a failure ends it."""
    allowed = (*SCRIPTS, *ON_REQUEST)
    if asked and asked[0] not in allowed:
        print(f"no benchmark {asked[0]!r}; allowed: {', '.join(allowed)}", file=sys.stderr)
        return 2
    for name in asked[:1] or SCRIPTS:
        print(f"== {name}", flush=True)
        script = Path(__file__).with_name(f"{name}.py")
        status = subprocess.run([sys.executable, script, *asked[1:]], check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
