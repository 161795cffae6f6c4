"""Is a training that is killed at random moments, and gone on with, the same to the bit?

    python benchmarks/killing.py [--kills 200] [--seed 0]

Half the kills (SIGKILL) come from outside at a random moment, half from inside a saving: before a
flush to the disk, a rename or a removal, or at a flush with the file cut short. After one to three
kills a run is let go on to its end, and its weights are compared byte by byte with those of a run
that was never disturbed. The small test of the same is ``tests/training/test_killing.py``.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import Counter

from machine import ROOT, write_result

CAMPAIGN = ROOT / "tests" / "training" / "killing_campaign.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    done = subprocess.run(
        [sys.executable, CAMPAIGN, "--kills", str(arguments.kills), "--seed", str(arguments.seed)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    told = json.loads(done.stdout)
    # A run with the same weights is a success of every kill that it went through.
    survived = sum(told["same"][kill["run"]] for kill in told["kills"])
    result = {
        "seed": arguments.seed,
        "kills": len(told["kills"]),
        "survived_to_the_bit": survived,
        "by_aim": Counter(kill["aim"] for kill in told["kills"]),
        "went_on_from_a_checkpoint": sum(bool(kill["from"]) for kill in told["kills"]),
        "runs": told["runs"],
        "runs_with_the_same_weights": sum(told["same"]),
    }
    for key, value in result.items():
        print(f"{key}: {value}")
    write_result("killing", result)
    sys.exit(0 if all(told["same"]) else 1)


if __name__ == "__main__":
    main()
