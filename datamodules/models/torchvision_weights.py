"""torchvision's weights: single files of one server, or of a mirror of it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from datamodules.models import download
from datamodules.models.weights import RemoteFile, Source, Weights
from datamodules.support.errors import AtelierError

MIRROR = "ATELIER_TORCHVISION_URL"


class TorchvisionWeights(Weights):
    """torchvision's default weights of one of its models."""

    scheme = "torchvision"
    home = "TORCH_HOME"

    def source(self) -> Source:
        folder, _, file = self.address().rpartition("/")
        return Source(folder, (file,), revision="")

    def cached(self) -> Path | None:
        return self._target() if self._target().is_file() else None

    def remote(self) -> list[RemoteFile]:
        folder, _, file = self.address().rpartition("/")
        size = download.size(self.address())
        return [RemoteFile(folder, file, "", size, self._target().is_file())]

    def download(self, files: list[RemoteFile]) -> Path:
        digest = re.search(r"-([0-9a-f]{8,})\.", self._target().name)
        download.download(self.address(), self._target(), digest[1] if digest else "")
        return self._target()

    def address(self) -> str:
        from torchvision.models import get_model_weights

        try:
            url = get_model_weights(self.key).DEFAULT.url
        except ValueError as error:
            raise AtelierError(f"torchvision has no model {self.key!r}") from error
        return _mirror() + urlsplit(url).path if _mirror() else url

    def folder(self) -> Path:
        import torch

        return Path(torch.hub.get_dir()) / "checkpoints"

    def _target(self) -> Path:
        return self.folder() / self.address().rsplit("/", 1)[-1]


def _mirror() -> str:
    """The address that takes the place of https://download.pytorch.org; "" = none."""
    mirror = os.environ.get(MIRROR, "").rstrip("/")
    parts = urlsplit(mirror)
    if mirror and (parts.scheme not in ("http", "https") or not parts.netloc or "@" in mirror):
        raise AtelierError(
            f"{MIRROR} is no address such as https://mirror.example/pytorch, without "
            "user and password; correct or unset it"
        )
    return mirror
