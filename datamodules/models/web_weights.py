"""Weights that are single files of plain web servers, in torch's cache."""

from __future__ import annotations

import os
import re
from pathlib import Path

from datamodules.models import download
from datamodules.models.weights import RemoteFile, Source, Weights
from datamodules.support.files import is_there


class WebWeights(Weights):
    """One file, whose URL is `address()`."""

    home = "TORCH_HOME"

    def source(self) -> Source:
        folder, _, file = self.address().rpartition("/")
        return Source(folder, (file,), revision="")

    def cached(self) -> Path | None:
        return self._target() if is_there(self._target()) else None

    def remote(self) -> list[RemoteFile]:
        folder, _, file = self.address().rpartition("/")
        size = download.size(self.address())
        return [RemoteFile(folder, file, "", size, self._target().is_file())]

    def download(self, files: list[RemoteFile]) -> Path:
        digest = re.search(r"-([0-9a-f]{8,})\.", self._target().name)
        download.download(self.address(), self._target(), digest[1] if digest else "")
        return self._target()

    def folder(self) -> Path:
        # As torch.hub.get_dir() has it, which takes two seconds to import.
        home = os.environ.get("TORCH_HOME", os.environ.get("XDG_CACHE_HOME", "~/.cache") + "/torch")
        return Path(home).expanduser() / "hub" / "checkpoints"

    def _target(self) -> Path:
        return self.folder() / self.address().rsplit("/", 1)[-1]
