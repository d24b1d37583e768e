"""Locks: by the system, and by leases where the system has none."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from datamodules.support.locks import BusyError, hold, lease, sees_one_host
from tests.support.waiting import wait_until

HOLDER = """
import sys, time
from pathlib import Path
from datamodules.support.locks import hold, lease
from pathlib import Path
with {lock}:
    print("held", flush=True)
    time.sleep(60)
"""


def holder(lock):
    """A process that holds a lock, once it does."""
    words = [sys.executable, "-c", HOLDER.format(lock=lock)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def without_flock(descriptor, operation):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def test_a_lock_is_of_one_program_ends_with_it_and_leaves_no_file(tmp_path):
    path = tmp_path / ".lock"
    other = holder(f"hold(Path({str(path)!r}))")
    with pytest.raises(BusyError), hold(path):
        pass
    other.kill()
    other.wait()
    with hold(path), pytest.raises(BusyError), hold(path):
        pass
    assert not list(tmp_path.iterdir())


def test_without_flock_a_lease_takes_its_place(tmp_path):
    path = tmp_path / ".lock"
    with hold(path, without_flock):
        assert [file.name for file in tmp_path.iterdir()] == [".lock.000001"]
        with pytest.raises(BusyError), hold(path, without_flock):
            pass
    assert not list(tmp_path.iterdir())


def test_a_lease_is_renewed_and_taken_over_once_its_holder_is_dead(tmp_path):
    path, seconds = tmp_path / ".lock", 1.0
    other = holder(f"lease(Path({str(path)!r}), beat=0.2)")
    end = time.monotonic() + 2 * seconds
    while time.monotonic() < end:  # longer than a lease lasts without its heart
        with pytest.raises(BusyError), lease(path, expires=seconds):
            pass
        time.sleep(0.1)
    other.kill()
    other.wait()

    def take_over():
        try:
            with lease(path, expires=seconds):
                return [file.name for file in tmp_path.iterdir()]
        except BusyError:
            return None

    assert wait_until(take_over, "nobody has taken over") == [".lock.000002"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("line", "one"),
    [
        ("server:/x {at} nfs4 rw,vers=4.2,local_lock=none 0 0", False),
        ("server:/x {at} nfs rw,vers=3,nolock,local_lock=all 0 0", True),
        ("mds:/x {at} lustre rw,flock 0 0", False),
        ("mds:/x {at} lustre rw,localflock 0 0", True),
        ("host: {at} fuse.sshfs rw 0 0", True),
    ],
)
def test_mount_options_say_whether_other_hosts_see_a_lock(tmp_path, line, one):
    mounts = tmp_path / "mounts"
    folder = (tmp_path / "shared/runs").absolute()
    lines = ["/dev/sda / ext4 rw 0 0", line.format(at=folder.parent)]
    mounts.write_text("\n".join(lines))
    assert sees_one_host(folder, mounts) == one
    assert not sees_one_host(tmp_path, mounts)


def test_a_folder_that_cannot_be_written_is_no_busy_one(tmp_path):
    with pytest.raises(FileNotFoundError), hold(Path(tmp_path, "nowhere", ".lock")):
        pass
