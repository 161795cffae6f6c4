"""A process that is killed at any moment loses nothing that a checkpoint held, and no bit."""

import json
import os
import subprocess
import sys
from pathlib import Path

CAMPAIGN = Path(__file__).with_name("killing_campaign.py")


def test_a_killed_run_goes_on_to_the_same_bits() -> None:
    done = subprocess.run(
        [sys.executable, CAMPAIGN, "--kills", "32", "--seed", "1"],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told["kills"]) >= 30
    assert all(told["same"]), told
    inside = [kill for kill in told["kills"] if kill["aim"] != "moment"]
    assert len(inside) >= 12
    assert any(kill["from"] for kill in told["kills"]), "no run ever went on from a checkpoint"
