"""Ray's cluster: one of our own for these runs, or one that somebody has started.

Members of a cluster know each other by a token (docs.ray.io, token authentication). Our own cluster
gets a fresh one, which no file ever holds. For another cluster the token is where Ray looks for it:
RAY_AUTH_TOKEN, the file RAY_AUTH_TOKEN_PATH, or ~/.ray/auth_token.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from datamodules.support.errors import AtelierError, reason
from datamodules.support.files import is_there, make_folder
from datamodules.support.home import home
from datamodules.support.locks import BusyError, hold

AUTO = "auto"  # address of the cluster on this machine
SESSION, LOCK = ".ray-", "owner.lock"  # a folder of our own cluster, and the lock in it
LENIENT = {"ignore_cleanup_errors": True}  # Ray's processes may still write when they end
ANSWER_SECONDS = 3.0  # for a connection
STATUS_SECONDS = 30.0  # for `ray status`, most of which are imports
LONGEST_SOCKET = 107  # characters of a socket's path in Linux
BELOW = len("/session_2026-01-01_00-00-00_000000_0000000/sockets/plasma_store.sock")
QUIET = {"log_to_driver": False, "logging_level": "ERROR"}
TOKEN = (
    "set RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH to a file that holds it, or copy the head's "
    "~/.ray/auth_token here"
)


@contextmanager
def cluster(address: str, session: str) -> Iterator[ModuleType]:
    """The module `ray`, connected until the block ends.

    address: "auto" or HOST:PORT of a cluster to join, "" for one of our own on this machine, with
    its files in the folder `session`.

    Raises AtelierError where Ray does not start or refuses us; `check` an address before.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no telemetry
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    ray = _join(address) if address else _start(session)
    try:
        yield ray
    finally:
        ray.shutdown()


def _start(session: str) -> ModuleType:
    """A cluster of our own, whatever RAY_ADDRESS or Ray's files say of others."""
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    import ray

    own = {"address": "local", "include_dashboard": False, "_temp_dir": session}
    try:
        ray.init(**own, num_cpus=_processors(), **QUIET)
    except Exception as error:  # Ray raises a bare one after its start-up's timeout
        raise AtelierError(f"Ray does not start here ({reason(error)}); use --serial") from error
    return ray


def _processors() -> int | None:
    """The processors that this process may use, if they are not all; Ray would take all."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return mine if mine != os.cpu_count() else None


@contextmanager
def session(root: Path) -> Iterator[str]:
    """A folder for the files of a cluster of our own; those of dead processes are removed."""
    parent = place(root)
    for folder in parent.glob(f"{SESSION}*"):
        _remove_dead(folder)
    with (
        tempfile.TemporaryDirectory(prefix=SESSION, dir=parent, **LENIENT) as folder,
        hold(Path(folder) / LOCK),
    ):
        yield folder


def _remove_dead(folder: Path) -> None:
    """Remove a session's folder if it has a lock that no process holds."""
    if is_there(folder / LOCK):
        with suppress(BusyError, OSError), hold(folder / LOCK):
            shutil.rmtree(folder, ignore_errors=True)


def place(root: Path) -> Path:
    """The folder for Ray's files: the runs', or where its sockets cannot be there, TMPDIR."""
    make_folder(root, "give another folder with --out")
    with tempfile.TemporaryDirectory(prefix=".ray-", dir=root) as folder:
        too_long = len(str(Path(folder).absolute())) + BELOW > LONGEST_SOCKET
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.bind(f"{folder}/socket")  # some shared file systems have none
            except OSError:
                too_long = True
    return Path(tempfile.gettempdir()) if too_long else root.absolute()


def _join(address: str) -> ModuleType:
    _use_token()
    import ray

    try:
        ray.init(address=address, **QUIET)
    except ray.exceptions.AuthenticationError as error:
        raise AtelierError(_refusal(address)) from error
    except Exception as error:  # Ray raises a bare one after its start-up's timeout
        raise AtelierError(
            f"The Ray cluster at {address} lets nobody join from here ({reason(error)}); start a "
            "node of it on this machine with `ray start --address`, and if it asks for a token, "
            f"{TOKEN}"
        ) from error
    return ray


def _use_token() -> None:
    """Let Ray send the token, if there is one; by itself it does so for "auto" only."""
    if _has_token():
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _has_token() -> bool:
    variable = os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH")
    return bool(variable) or is_there(home() / ".ray" / "auth_token")


def check(address: str) -> None:
    """AtelierError unless the cluster at an address answers; `ray.init` would wait for minutes."""
    _use_token()
    if os.environ.get("RAY_AUTH_MODE") == "token" and not _has_token():
        raise AtelierError(f"RAY_AUTH_MODE is token, and there is no token here; {TOKEN}")
    status = [sys.executable, "-m", "ray.scripts.scripts", "status"]
    if address != AUTO:
        _check_listener(address)
        status += ["--address", address]
    try:
        done = subprocess.run(status, capture_output=True, text=True, timeout=STATUS_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise AtelierError(
            f"What listens at {address} does not answer like a Ray cluster; check the port: that "
            "of `ray start --head --port=6379`"
        ) from error
    if "AuthenticationError" in done.stderr:
        raise AtelierError(_refusal(address))
    if done.returncode:
        lines = done.stderr.split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "")
        raise AtelierError(
            f"No Ray cluster answers at {address} ({last.strip()[:200]}); start one with: ray "
            "start --head"
        )


def _refusal(address: str) -> str:
    ours = "refuses our token" if _has_token() else "asks for its token"
    return f"The Ray cluster at {address} {ours}; {TOKEN}"


def refuses(address: str) -> bool:
    """Whether nothing listens at HOST:PORT of a host that answers."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except ConnectionRefusedError:
        return True
    except OSError:  # the host is away, perhaps for a moment
        return False
    return False


def _check_listener(address: str) -> None:
    """AtelierError unless something listens at HOST:PORT."""
    host, _, port = address.rpartition(":")
    if not (re.fullmatch(r"[\w.-]+|\[[\da-f:]+\]", host) and port.isdecimal()):
        raise AtelierError(f"--address is {address!r}; give HOST:PORT of the head, or auto")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise AtelierError(
            f"Nothing listens at {address} ({reason(error)}); start a Ray cluster on {host} with: "
            f"ray start --head --port={port}"
        ) from error
