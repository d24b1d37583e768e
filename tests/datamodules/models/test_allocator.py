"""Freed memory is kept until it is given back."""

import platform
import subprocess
import sys

import pytest

from tests.support.cli import ROOT

FAULTS = """
import resource, torch
from datamodules.models.allocator import give_back, keep_freed_memory, return_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(16 * 2**20)  # 64 MB, touched and freed
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

plain = [faults() for _ in range(3)][-1]
keep_freed_memory()
return_freed_memory()
again = [faults() for _ in range(3)][-1]
keep_freed_memory()
# glibc asks for a little more than it gives, so that a few blocks come first.
kept, held = [faults() for _ in range(20)][-1], resident()
give_back()
returned = held - resident()
print(plain, kept, again, returned)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator alone is told")
def test_freed_memory_is_kept_until_it_is_given_back():
    result = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, cwd=ROOT
    )
    plain, pooled, again, returned = map(int, result.stdout.split())
    assert plain > 10 * pooled and again > 10 * pooled
    assert returned > 50 * 2**20
