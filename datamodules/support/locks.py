"""Locks between programs: one at a time does a thing, also on hosts that share a folder.

The system's lock (flock) ends with its process. Where a file system has none, or one that other
hosts do not see, a lease takes its place: a file whose time its holder renews. Once that stops,
another program takes over.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

BEAT = 10.0  # seconds between two renewals of a lease
EXPIRES = 60.0  # seconds after which a lease that nobody renews is over
MISSING = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
# File systems, and options of mounts, with which flock is silently a matter of one host.
OF_ONE_HOST = {"fuse.sshfs", "9p"}
LOCALLY = {"nolock", "local_lock=all", "local_lock=flock", "localflock"}


class BusyError(Exception):
    """Another program holds the lock."""


@contextmanager
def hold(path: Path, flock: Callable[[int, int], None] = fcntl.flock) -> Iterator[None]:
    """Hold the lock with a file's name, in a folder that exists, until the block ends.

    flock: the system's call. Raises BusyError where another program holds the lock, and OSError
    where the file cannot be written.
    """
    descriptor = None if sees_one_host(path.parent) else _locked(path, flock)
    if descriptor is None:
        with lease(path):
            yield
        return
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _locked(path: Path, flock: Callable[[int, int], None]) -> int | None:
    """Descriptor of the locked file; None where the file system has no flock."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except FileNotFoundError:
            pass
        except OSError as error:
            os.close(descriptor)
            if error.errno in MISSING:
                path.unlink(missing_ok=True)
                return None
            if isinstance(error, BlockingIOError):
                raise BusyError(path) from error
            raise
        os.close(descriptor)  # its last holder has removed this file: it locks nothing any more


def sees_one_host(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> bool:
    """Whether flock in a folder of a network is unknown to other hosts, as mount options say."""
    try:
        lines = [line.split() for line in mounts.read_text().splitlines()]
    except OSError:
        return False
    at = folder.resolve()
    places = [(Path(words[1]), words[2], words[3]) for words in lines]
    above = [place for place in places if at.is_relative_to(place[0])]
    _, kind, options = max(above, key=lambda place: len(place[0].parts), default=("", "", ""))
    return kind in OF_ONE_HOST or not LOCALLY.isdisjoint(options.split(","))


@contextmanager
def lease(path: Path, beat: float = BEAT, expires: float = EXPIRES) -> Iterator[None]:
    """Hold a lease until the block ends, renewed every `beat` seconds.

    BusyError if another program's is younger than `expires`. Every new holder has a file with the
    next number, so that of two who take over only one can.
    """
    mine = _next(path, expires)
    over = threading.Event()
    beating = threading.Thread(target=_renew, args=(mine, over, beat), daemon=True)
    beating.start()
    try:
        yield
    finally:
        over.set()
        beating.join()
        mine.unlink(missing_ok=True)


def _next(path: Path, expires: float) -> Path:
    """The new lease's file."""
    earlier = sorted(path.parent.glob(f"{path.name}.*"))
    if earlier and _age(earlier[-1]) < expires:
        raise BusyError(path)
    number = int(earlier[-1].suffix[1:]) + 1 if earlier else 1
    mine = path.with_name(f"{path.name}.{number:06}")
    try:
        with mine.open("x") as file:  # whole or not at all, on network file systems too
            file.write(f"{socket.gethostname()} {os.getpid()}\n")
    except FileExistsError as error:
        raise BusyError(path) from error
    for file in earlier:
        file.unlink(missing_ok=True)
    return mine


def _age(path: Path) -> float:
    """Seconds since a lease was renewed, by the clock of the file server, not of this host."""
    try:
        with path.open() as file, tempfile.TemporaryFile(dir=path.parent) as now:
            # Open files: a network file system asks its server for their times.
            return os.fstat(now.fileno()).st_mtime - os.fstat(file.fileno()).st_mtime
    except FileNotFoundError:  # released at this moment; the next attempt gets it
        return 0.0


def _renew(path: Path, over: threading.Event, beat: float) -> None:
    while not over.wait(beat):
        try:
            os.utime(path)
        except OSError as error:
            log.warning("The lease %s is lost (%s)", path, error.strerror)
            return
