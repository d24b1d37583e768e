"""A SLURM of a controller and a node daemon per host, on hosts of one machine."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.support.cli import ROOT, variables
from tests.support.hosts import hosts
from tests.support.waiting import wait_until

CONFIGURATION = """
ClusterName=atelier
SlurmctldHost=h1
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmdSpoolDir={folder}/spool.%n
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
KillWait=5
SlurmdParameters=config_overrides
NodeName=h[1-{count}] CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun")
needs_slurm = pytest.mark.skipif(
    not all(map(shutil.which, PROGRAMS)), reason="slurm-wlm and munge are not installed"
)


class Slurm:
    """Commands of SLURM on the first host, in a folder, whose `bin` precedes other programs."""

    def __init__(self, host, folder, **environment):
        self.host, self.folder = host, folder
        programs = f"{folder}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.variables = variables(PATH=programs, **environment)

    def __call__(self, *words):
        """The stdout of a command, which must succeed."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = self.host.start(*words, cwd=self.folder, env=self.variables, **pipes)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return out

    def submit(self, options, script, *words):
        """The number of a new job of a script in configs/slurm."""
        log = f"--output={self.folder}/%x-%A.log"
        script = ROOT / "configs" / "slurm" / script
        return self("sbatch", "--parsable", log, *options, script, *words).strip()

    def wait(self, job):
        """Wait until a job has left the queue."""
        left = partial(self, "squeue", "--noheader", "--job", job)
        wait_until(lambda: not left(), f"job {job}", 240, every=1)


@contextmanager
def slurm(count, folder, **environment):
    """A cluster of so many hosts with two processors each. environment: of all commands."""
    folder.mkdir()
    (folder / "state").mkdir()
    (folder / "key").write_bytes(os.urandom(128))
    (folder / "key").chmod(0o600)
    (folder / "slurm.conf").write_text(CONFIGURATION.format(folder=folder, count=count))
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    files = {f"--{kind}-file": folder / kind for kind in ("key", "log", "pid", "seed")}
    munge = [f"{option}={path}" for option, path in files.items()]
    munge = ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *munge]
    configuration = {"SLURM_CONF": str(folder / "slurm.conf")}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    silent["env"] = variables(**configuration)
    with hosts(count, folder) as up:
        up[0].start(*munge, **silent)
        wait_until((folder / "munge.socket").exists, "munged does not start")
        up[0].start("slurmctld", "-D", **silent)
        for host in up:
            host.start("slurmd", "-D", "-N", host.name, **silent)
        cluster = Slurm(up[0], folder.parent, **configuration, **environment)
        idle = ["bash", "-c", "sinfo --noheader --Node --states=idle 2>/dev/null || true"]
        wait_until(lambda: cluster(*idle).count("\n") == count, "not all nodes are idle", every=0.5)
        yield cluster
