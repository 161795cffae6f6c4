"""Several runs at once: the same bits, one clear error, and no process left behind."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convolens.config import to_dict
from convolens.data import load_data
from convolens.errors import ConfigError
from convolens.experiments import cross_validate
from convolens.experiments.events import JobEnded, JobStarted, RunTold
from convolens.experiments.jobs import Job, Workbench
from convolens.experiments.material import open_material, read_material
from convolens.experiments.runner import run_jobs
from convolens.experiments.sharing import threads_of, usual_at_once
from convolens.files import write_json
from convolens.recipes import fast
from convolens.training.events import event_to_dict

SCRIPT = Path(__file__).with_name("jobs_at_once.py")
linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def workers_of(parent):
    """Process numbers of a process's workers."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            ppid = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if ppid == parent and b"convolens.experiments.worker" in (
                (entry / "cmdline").read_bytes()
            ):
                found.append(int(entry.name))
        except OSError:  # it has ended in the meantime
            continue
    return found


def test_two_at_once_give_the_bits_of_one_after_the_other(arrays, recipe, tmp_path):
    here, there = [], []
    one = cross_validate(
        arrays, recipe, folds=3, path=tmp_path / "one", at_once=1, on_event=here.append
    )
    two = cross_validate(
        arrays, recipe, folds=3, path=tmp_path / "two", at_once=2, on_event=there.append
    )
    assert told(there) == told(here)
    np.testing.assert_array_equal(one.out_of_fold().probabilities, two.out_of_fold().probabilities)
    for mine, theirs in zip(one.runs, two.runs, strict=True):
        weights = [run.path / "model/weights.safetensors" for run in (mine, theirs)]
        assert weights[0].read_bytes() == weights[1].read_bytes()
        assert mine.record["data"] == theirs.record["data"]
    assert not (tmp_path / "two/.shared").exists()


def told(events):
    """What each run told that is not a time, in its order."""
    runs, job = {}, None
    for event in events:
        if isinstance(event, JobStarted):
            job = event.job
        elif isinstance(event, RunTold):
            runs.setdefault(event.job, []).append(without_times(event.told))
        elif not isinstance(event, JobEnded):
            runs.setdefault(job, []).append(without_times(event))
    return runs


def without_times(event):
    return {
        name: value
        for name, value in event_to_dict(event).items()
        if "second" not in name and "loss" not in name
    }


def test_the_last_runs_share_all_threads(monkeypatch):
    monkeypatch.setattr("torch.get_num_threads", lambda: 8)
    jobs = [Job(name=f"seed {seed}", folder=f"seed-{seed}", seed=seed) for seed in range(5)]
    assert list(threads_of(jobs, 1).values()) == [8] * 5
    assert list(threads_of(jobs, 2).values()) == [4, 4, 4, 4, 8]
    assert list(threads_of(jobs, 3).values()) == [2, 2, 2, 4, 4]
    assert list(threads_of(jobs, 5).values()) == [1] * 5
    assert list(threads_of(jobs, 16).values()) == [1] * 5


def test_one_a_core_only_where_there_is_much_to_do(arrays, monkeypatch):
    monkeypatch.setattr("torch.get_num_threads", lambda: 8)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    data = load_data(arrays)
    seen = 8 * 8 * len(data.train)
    many, few = (fast(epochs=pixels / seen) for pixels in (6e7, 4e7))
    assert usual_at_once(5, data, few, timed=False) == 1
    assert usual_at_once(5, data, many, timed=False) == 4
    assert usual_at_once(3, data, many, timed=False) == 3
    assert usual_at_once(5, data, many, timed=True) == 1
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert usual_at_once(5, data, many, timed=False) == 1


@linux
def test_a_worker_that_dies_is_one_error_that_names_its_job(arrays, recipe, tmp_path):
    jobs = [Job(name=f"seed {seed}", folder=f"seed-{seed}", seed=seed) for seed in (4, 5)]
    bench = Workbench(read_material(arrays), recipe, tmp_path)

    def kill_all(_: Job) -> None:
        for pid in workers_of(os.getpid()):
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(RuntimeError, match=r"the process of seed [45] ended by signal 9 \(SIGKILL"):
        run_jobs(bench, jobs, at_once=2, on_start=kill_all)
    assert workers_of(os.getpid()) == []


@linux
def test_an_error_in_a_worker_is_the_same_as_here(arrays, recipe, tmp_path):
    wild = replace(recipe, optimizer=replace(recipe.optimizer, adam_learning_rate=1e30))
    jobs = [Job(name=f"seed {seed}", folder=f"seed-{seed}", seed=seed) for seed in (4, 5)]
    bench = Workbench(read_material(arrays), wild, tmp_path)
    with pytest.raises(ConfigError, match=r"^seed 4: ") as here:
        run_jobs(bench, jobs, at_once=1)
    with pytest.raises(ConfigError, match=r"^seed [45]: ") as there:
        run_jobs(bench, jobs, at_once=2)
    assert str(here.value)[8:] == str(there.value)[8:]
    assert workers_of(os.getpid()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_the_parent_ends_its_workers(arrays, recipe, tmp_path, number):
    np.savez(tmp_path / "digits.npz", images=arrays[0], labels=arrays[1])
    write_json(tmp_path / "endless.json", to_dict(replace(recipe, epochs=100_000)))
    process = subprocess.Popen(
        [
            sys.executable,
            SCRIPT,
            tmp_path / "runs",
            tmp_path / "digits.npz",
            tmp_path / "endless.json",
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    begun = {process.stdout.readline() for _ in range(2)}
    assert begun == {"seed 0\n", "seed 1\n"}
    process.send_signal(number)
    # The workers hold the same standard error: it ends when the last of them has.
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err
    if number != signal.SIGKILL:
        assert (process.returncode, out) == (0, "stopped\n")


def test_what_is_shared_divides_as_what_was_read(arrays, tmp_path):
    groups = [f"person {number // 3}" for number in range(len(arrays[1]))]
    material = read_material(arrays, groups=groups, seed=3, sample=0.7)
    material.share(tmp_path)
    opened = open_material(tmp_path)
    assert opened.fingerprint == material.fingerprint
    splitting = replace(material.splitting, folds=3, fold=1)
    mine, theirs = material.part(splitting), opened.part(splitting)
    assert mine.dataset.fingerprint == theirs.dataset.fingerprint
    np.testing.assert_array_equal(mine.held_out, theirs.held_out)
    assert list(mine.dataset.train.names) == list(theirs.dataset.train.names)
    assert mine.dataset.options == theirs.dataset.options


def test_the_number_at_once_is_checked(arrays, recipe, tmp_path):
    bench = Workbench(read_material(arrays), recipe, tmp_path)
    with pytest.raises(ConfigError, match="at_once is 0; allowed"):
        run_jobs(bench, [], at_once=0)
