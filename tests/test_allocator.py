"""Memory that is freed stays with the process."""

import platform
import subprocess
import sys

import pytest

# Blocks of 2 MB are taken and freed together, again and again: 64 MB is more than the C library
# keeps by itself, so every time the pages are new ones.
FAULTS = """
import resource, sys
import numpy as np
from convolens.allocator import keep_freed_memory
if "keep" in sys.argv:
    assert keep_freed_memory() and keep_freed_memory()
def step():
    for _ in range(3):
        blocks = [np.ones(2**18) for _ in range(32)]
        del blocks
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(*words):
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, *words], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc's")
def test_freed_memory_is_used_again_without_new_pages():
    assert page_faults("keep") * 10 < page_faults()
