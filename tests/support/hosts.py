"""Several hosts on one machine: network, process and mount namespaces joined by a bridge.

Each has its own /tmp/ray and /dev/shm; every other folder is shared, as on a cluster.
"""

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.waiting import wait_until

NETWORK = "10.77.0"
needs_hosts = pytest.mark.skipif(
    os.getuid() != 0 or not (shutil.which("ip") and shutil.which("unshare")),
    reason="hosts need root and iproute2",
)


class Host:
    """A host `name` (h1, h2, ...) with an `address`, until `kill`."""

    def __init__(self, number, tag, names):
        self.name, self.address = f"h{number}", f"{NETWORK}.{number}"
        self.space, self.link = f"{tag}h{number}", f"{tag}v{number}"
        _ip("netns", "add", self.space)
        _ip("link", "add", self.link, "type", "veth", "peer", "eth0", "netns", self.space)
        _ip("link", "set", self.link, "master", tag, "up")
        _ip("-n", self.space, "addr", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            _ip("-n", self.space, "link", "set", device, "up")
        inside = (
            "mount -t tmpfs none /dev/shm; mkdir -p /tmp/ray; mount -t tmpfs none /tmp/ray; "
            f"mount --bind {names} /etc/hosts; hostname {self.name}; exec sleep infinity"
        )
        spaces = ["unshare", "-m", "-p", "-f", "-u", "--mount-proc", "bash", "-c", inside]
        self.outside = subprocess.Popen(
            ["ip", "netns", "exec", self.space, *spaces], stderr=subprocess.DEVNULL
        )
        self.pid = wait_until(self._first_process, f"{self.name} does not start")

    def _first_process(self):
        """The process id, seen from outside, of process 1 inside, once it is ready."""
        pid = self.outside.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            if Path(f"/proc/{child}/comm").read_text() == "sleep\n":
                return int(child)
        return None

    def start(self, *words, cwd="/", **options):
        """Start a command on the host; a subprocess.Popen."""
        spaces = ["nsenter", "-t", str(self.pid), "-m", "-p", "-u", "-n", f"--wd={cwd}", "--"]
        return subprocess.Popen([*spaces, *map(str, words)], text=True, **options)

    def cut(self):
        """Take its network cable out."""
        _ip("link", "set", self.link, "down")

    def kill(self):
        """End all its processes at once."""
        if self.outside.poll() is None:
            os.kill(self.pid, 9)
            self.outside.wait()


@contextmanager
def hosts(count, folder):
    """So many hosts, h1 at 10.77.0.1 and so on. folder: for the file with their names."""
    tag, names = f"at{uuid4().hex[:8]}", folder / "hosts"  # interfaces have short names
    addresses = [f"{NETWORK}.{number} h{number}" for number in range(1, count + 1)]
    names.write_text("\n".join(["127.0.0.1 localhost", *addresses, ""]))
    up = []
    _ip("link", "add", tag, "type", "bridge")
    try:
        _ip("link", "set", tag, "up")
        for number in range(1, count + 1):
            up.append(Host(number, tag, names))
        yield up
    finally:
        for host in up:
            host.kill()
            _ip("netns", "del", host.space)
        _ip("link", "del", tag)


def _ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)
