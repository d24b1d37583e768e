"""A job: one run among many, named after the hash of all that determines its pictures.

Whoever asks for the same run again gets the same name, and finds the finished run in its folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from datamodules.campaign_folder import RUNS
from datamodules.models.cache import once_per_process
from datamodules.run_folder import CONFIG, FAILURE, STOPPED, RunFolder
from datamodules.run_records import JobRecord
from datamodules.support.errors import AtelierError
from datamodules.support.files import sha256
from datamodules.support.versions import own_version, versions_of_pictures
from experiments.campaigns.identity import Settled, settle
from experiments.run.configuration import Configuration
from experiments.run.options import FILES
from experiments.run.sources import code_digest
from lightning_modules.steps.shared_settings import SHARED_SETTINGS

State = Literal["open", "done", "failed", "stopped"]
LIMITS, STOP_LOSS = "run.stop_above", "run.stop_loss"


@dataclass(frozen=True)
class Job:
    """A configuration to be run, and its place among others.

    config:   of a method on a preset of models. settings: over it, by dotted name.
    labels:   identify the run for people: method, picture, style, seed, and whatever varies.
    logging:  settings that change nothing in the pictures.
    set:      the benchmark or sweep that the job belongs to, "" for none.
    """

    config: Configuration
    settings: Mapping[str, Any]
    labels: Mapping[str, Any] = field(default_factory=dict)
    logging: Mapping[str, Any] = field(default_factory=dict)
    set: str = ""

    @cached_property
    def id(self) -> str:
        """16 hex digits of the hash of all that determines the pictures.

        That is the configuration with its settings, however they are written, input files by their
        content, the code of the classes, and the versions of Atelier and of packages that compute.
        """
        code = code_digest(self.settled.modules)
        return _hash([self.request, own_version(), versions_of_pictures(), code])

    def under(self, run: str) -> Job:
        """The same job under the name of another run of the same settings."""
        job = replace(self)
        job.__dict__["id"] = run
        return job

    @cached_property
    def request(self) -> str:
        """The hash of configuration, settings and input files alone."""
        values = dict(self.settled.values)
        for name in values.keys() & FILES:
            values[name] = [self.inputs.get(file, file) for file in _files(values[name])]
        return _hash(values)

    @cached_property
    def settled(self) -> Settled:
        """The settings as they are meant; AtelierError for an unknown one or a wrong value."""
        return settle(self.config, self.settings)

    @cached_property
    def inputs(self) -> dict[str, str]:
        """The digest of every input file, as it was when the job got its name."""
        values = self.settled.values
        files = {file for name in values.keys() & FILES for file in _files(values[name])}
        return {file: _digest(Path(file)) for file in sorted(files) if Path(file).is_file()}

    @cached_property
    def kind(self) -> str:
        """A key that is equal for jobs which can be optimised jointly."""
        settings = self.settled.settings
        shared = {k: v for k, v in settings.items() if k.startswith(SHARED_SETTINGS)}
        alone = self.id if LIMITS in self.logging else ""  # it may stop before others do
        return json.dumps([self.config, shared, alone], sort_keys=True)

    def with_limits(self, limits: Mapping[int, float], loss: str) -> Job:
        """The same run, to be stopped where its loss is above the limit of a step."""
        stop = {LIMITS: dict(limits), STOP_LOSS: loss} if limits else {}
        return replace(self, logging={**self.logging, **stop})

    def folder(self, root: Path) -> Path:
        """The folder of the run in the folder of a campaign."""
        return root / RUNS / self.id

    def state(self, root: Path) -> State:
        """The state of the run, as its folder shows it; with a damaged result it is open."""
        run = RunFolder(self.folder(root), strict=False)
        if run.finished:
            return "open" if run.damage else "done"
        if (run.path / STOPPED).exists() and self._is_stopped(run.path):
            return "stopped"
        return "failed" if (run.path / FAILURE).exists() else "open"

    def check_inputs(self) -> None:
        """AtelierError if an input file is no longer the one that gave the job its name."""
        for file, digest in self.inputs.items():
            path = Path(file)
            if not path.is_file() or sha256(path) != digest:
                gone = "has changed" if path.exists() else "has gone"
                raise AtelierError(
                    f"{file} {gone} since this run was planned; give the same command again, "
                    "which plans with the present file"
                )

    def _is_stopped(self, folder: Path) -> bool:
        """Whether a run was stopped by the limits of this very job; else it is to be made."""
        stop = RunFolder(folder, strict=False).stop
        same_loss = self.logging.get(STOP_LOSS) == stop.loss
        return same_loss and self.logging[LIMITS].get(stop.step) == stop.limit

    def described(self) -> str:
        """The labels in one line."""
        return ", ".join(f"{name} {value}" for name, value in self.labels.items())

    def placed(self, root: Path) -> dict[str, Any]:
        """All settings of the run in the folder of a campaign."""
        place = {"run.out": str(self.folder(root)), "run.overwrite": True}
        wandb = {"wandb.id": self.id} if self.logging.get("wandb.enabled") else {}
        return {**self.settled.settings, **self.logging, **wandb, **place}

    def record(self, root: Path, limit: float = 0) -> JobRecord:
        """The contents of job.json for a run that starts now, to be ended after `limit` seconds."""
        config = str(self.folder(root) / CONFIG)
        again = ["atelier", "stylize", "--config", config, "--out", "runs/again"]
        return JobRecord(
            self.id,
            self.set,
            dict(self.labels),
            dict(self.settings),
            shlex.join(again),
            started=time.time(),
            limit=limit,
            request=self.request,
            host=socket.gethostname(),
            gpus=os.environ.get("CUDA_VISIBLE_DEVICES", ""),
        )


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


# Thousands of jobs share a version and a few pictures, which are read once.


@once_per_process(at_most=1024)
def _digest(file: Path) -> str:
    return sha256(file)


def _files(value: str | list[str]) -> list[str]:
    """The files that a setting names: one, several, or several as JSON."""
    files = json.loads(value) if isinstance(value, str) and value.startswith("[") else value
    return [files] if isinstance(files, str) else list(files)


def identity_of(image: str) -> str:
    """The digest of a file's content; a name such as "skimage:rocket" as it is."""
    return _digest(path) if (path := Path(image)).is_file() else image
