"""Memory of the process that reads a data set, and of the processes that it starts.

The process under watch is this file run as a script: it does what a training run does, and says
what it begins. The watcher, another process, looks at ``/proc`` every 50 ms and keeps the greatest
sums: of resident memory (RSS, in which a page that two processes share counts twice, and a mapped
page of a file counts though the system may take it back), and of proportional memory (PSS, in which
a shared page counts once).
"""

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

EVERY_S = 0.05
BATCH = 256
SIDE = 64
_MIB = 2**20
_ENDING = "ending"


@dataclass(kw_only=True)
class Peak:
    """The greatest sums while one thing was done, in bytes."""

    seconds: float = 0.0
    looks: int = 0
    rss: int = 0
    pss: int = 0
    first_rss: int = 0
    """Of the first process alone, when the sum was greatest."""
    processes: int = 0

    def result(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {
            "seconds": round(self.seconds, 1),
            "looks": self.looks,
            "peak_rss_mib": round(self.rss / _MIB, 1),
            "of_which_first_process_mib": round(self.first_rss / _MIB, 1),
            "peak_pss_mib": round(self.pss / _MIB, 1) if self.pss else None,
            "processes": self.processes,
        }


def watch_reading(folder: Path, workers: int) -> dict[str, dict[str, Any]]:
    """Read a folder in a process of its own, and watch its memory.

    Args:
        folder: of pictures in class folders; the cache is to be empty.
        workers: processes that read it.

    Returns:
        What was done to the peaks meanwhile, in the order in which it was done.
    """
    command = [sys.executable, __file__, str(folder), str(workers)]
    peaks: dict[str, Peak] = {"starting": Peak()}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        listener = threading.Thread(target=_listen, args=(process.stdout, peaks), daemon=True)
        listener.start()
        before = time.monotonic()
        while process.poll() is None:
            what = list(peaks)[-1]
            _look(process.pid, peaks[what])
            time.sleep(max(0.0, before + EVERY_S - time.monotonic()))
            now = time.monotonic()
            peaks[what].seconds += now - before
            before = now
        listener.join()
    if process.returncode:
        raise RuntimeError(f"the process under watch ended with status {process.returncode}")
    return {what: peak.result() for what, peak in peaks.items() if what != _ENDING}


def _listen(lines: IO[str], peaks: dict[str, Peak]) -> None:
    for line in lines:
        print(f"  {line.strip()} ...", flush=True)
        peaks[line.strip()] = Peak()


def _look(first: int, peak: Peak) -> None:
    family = _family(first)
    sizes = {pid: _rss(pid) for pid in family}
    peak.looks += 1
    peak.pss = max(peak.pss, sum(map(_pss, family)))
    if sum(sizes.values()) > peak.rss:
        peak.rss = sum(sizes.values())
        peak.first_rss, peak.processes = sizes[first], len(family)


def _family(first: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError):
                # The name, in brackets, may hold anything; the state and the parent follow it.
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(after_name[1]), []).append(int(entry.name))
    family = [first]
    for pid in family:
        # Until it becomes another program, a new process shares all memory with its parent.
        family += [child for child in children.get(pid, []) if _command(child) != _command(pid)]
    return family


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _rss(pid: int) -> int:
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _pss(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def read(folder: Path, workers: int) -> None:
    """What is watched: everything that a training run does with a folder of pictures."""
    import torch  # noqa: F401 - a training run has it in memory, too

    from convolens.data import Preparation, epoch_order, load_data
    from convolens.data.class_folders import list_class_folders
    from convolens.data.preparing import prepare_listing

    _begin("preparing")
    pool = prepare_listing(list_class_folders(folder), Preparation(size=SIDE, workers=workers))
    del pool
    _begin("load_data, already prepared")
    train = load_data(folder, size=SIDE, workers=workers).train
    _begin("an epoch of batches")
    order = epoch_order(len(train), seed=0, epoch=0)
    total = 0
    for start in range(0, len(order), BATCH):
        total += int(train.images[order[start : start + BATCH]].sum(dtype="int64"))
    assert total > 0
    _begin(_ENDING)


def _begin(what: str) -> None:
    print(what, flush=True)


if __name__ == "__main__":
    read(Path(sys.argv[1]), int(sys.argv[2]))
