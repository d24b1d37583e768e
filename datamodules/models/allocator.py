"""glibc's allocator, told to keep what it is given back.

By default every large tensor is fetched from the system and returned to it, which clears each page
once more: a fifth of a step on a CPU. A process that has made one step will need as much for the
next. It takes up to half as much memory again, since what is free does not always fit. Where the C
library is another, nothing happens.
"""

from __future__ import annotations

import ctypes
from functools import cache

# From glibc's malloc.h.
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD, MMAP_MAX, ARENA_MAX = -1, -2, -3, -4, -8
KEEPING = {TRIM_THRESHOLD: -1, TOP_PAD: 64 * 2**20, MMAP_MAX: 0, ARENA_MAX: 1}
RETURNING = {TRIM_THRESHOLD: 2**20, TOP_PAD: 0, MMAP_MAX: 65536, MMAP_THRESHOLD: 2**20}


@cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows
        return None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


def keep_freed_memory() -> None:
    """From now on, tensors that are freed make room for the next ones, within this process."""
    _set(KEEPING)


def return_freed_memory() -> None:
    """From now on, tensors that are freed are returned to the system, as they are by default."""
    _set(RETURNING)


def _set(settings: dict[int, int]) -> None:
    if library := _library():
        for name, value in settings.items():
            library.mallopt(name, value)


def give_back() -> None:
    """Return what is free in this process now to the system."""
    if library := _library():
        library.malloc_trim(0)
