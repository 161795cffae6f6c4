"""What becomes of memory that a training step has used: the next step needs just as much.

The C library hands large blocks back to the system as soon as they are free, and the system clears
every page of them before the next step may use it again: on two cores a tenth of the time of a step
(``docs/experiments.md``).
"""

import ctypes
import platform
from functools import cache

# From glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_BLOCK = 32 * 2**20  # as much as glibc allows; larger ones are handed back as ever
_KEPT = 1024 * 2**20


@cache
def keep_freed_memory() -> bool:
    """Let this process keep up to a gigabyte that it has freed, for its next allocation.

    It stays so until the process ends. A setting in the environment (``MALLOC_TRIM_THRESHOLD_``,
    ``GLIBC_TUNABLES``) holds for what is done before the first call alone.

    Returns:
        Whether the C library takes such a wish: glibc does, other libraries and systems go on as
        they are.

    >>> keep_freed_memory() == (platform.libc_ver()[0] == "glibc")
    True
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK) and mallopt(_TRIM_THRESHOLD, _KEPT))
