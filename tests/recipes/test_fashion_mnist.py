"""What the recipe ``fast`` promises, on the real data."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from convolens.bundle import load_model
from convolens.data import Dataset
from convolens.training import load_run


@pytest.mark.fashion
def test_fast_reaches_91_percent_and_the_run_can_be_used(
    tmp_path: Path, fashion_mnist: Dataset
) -> None:
    command = [sys.executable, "-m", "convolens", "train", "fashion-mnist", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert results["test_accuracy"] >= 0.91
    assert results["parameters"] == 279_050

    run = load_run(tmp_path / results["run"])
    assert run.record["data"]["fingerprint"] == fashion_mnist.fingerprint
    model = load_model(run.path)
    assert fashion_mnist.test is not None
    first = model.predict(fashion_mnist.test.images[:10])
    names = [fashion_mnist.class_names[label] for label in fashion_mnist.test.labels[:10]]
    assert sum(first == names) >= 9
