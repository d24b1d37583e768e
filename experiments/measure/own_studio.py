"""A server of the studio in a process of its own, for measurements and pictures."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory


@contextmanager
def own_studio() -> Iterator[tuple[int, str]]:
    """Process number and address of a server that ends with the block."""
    with TemporaryDirectory() as folder:
        words = ["-m", "experiments.cli", "studio", "--port", "0", "--folder", folder]
        command = [sys.executable, *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                yield server.pid, server.stdout.readline().strip()
            finally:
                server.terminate()
