"""A sweep on a machine without a network: nothing is asked of anybody."""

import subprocess
import sys

import pytest
import yaml

from experiments.run.registry import CONFIGS
from tests.support.cli import ROOT, variables

# Metrics that only take long: by networks that the run has loaded, or that ask nobody.
EMBEDDED = {"losses", "mask_agreement", "own_style_patch", "style_patch"}
GUARDED = """
import socket, sys

hosts = []

def refused(host):
    here = host in (None, "", "localhost", "::1", socket.gethostname()) or host.startswith("127.")
    if not here:
        hosts.append(host)
    return not here

def getaddrinfo(host, *rest, **options):
    if refused(host.decode() if isinstance(host, bytes) else host):
        raise socket.gaierror("no network")
    return lookup(host, *rest, **options)

class Guarded(socket.socket):
    def connect(self, address):
        if isinstance(address, tuple) and refused(address[0]):
            raise OSError("no network")
        return super().connect(address)

lookup, socket.getaddrinfo, socket.socket = socket.getaddrinfo, getaddrinfo, Guarded

from datamodules.models import connection
from experiments.cli import main

connection._has_route = lambda: False  # as on a machine without a network
code = main(sys.argv[1:])
print("hosts", hosts, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.slow  # 30 s on one core: a run, and its scores by networks that may have to be fetched
def test_a_sweep_without_a_network_asks_nobody(tmp_path, sweep):
    metrics = set(yaml.safe_load((CONFIGS / "evaluation/embedded.yaml").read_text())) - EMBEDDED
    words = ["sweep", str(sweep({"seed": [0]})), "--serial", "--out", "out"]
    words += ["--metrics", ",".join(metrics)]
    online = dict.fromkeys(("HF_HUB_OFFLINE", "WANDB_MODE", "WANDB_API_KEY"))
    result = subprocess.run(
        [sys.executable, "-c", GUARDED, *words],
        cwd=tmp_path,
        env=variables(HOME=str(tmp_path), **online) | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.stderr.splitlines()[-1] == "hosts []", result.stderr
    assert result.returncode == 0, result.stderr
    assert "1 done, 0 skipped, 0 failed" in result.stderr
