"""torchvision's weights: single files of one server, or of a mirror of it."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from datamodules.models.places import place
from datamodules.models.web_weights import WebWeights
from datamodules.support.errors import AtelierError

MIRROR = "ATELIER_TORCHVISION_URL"


class TorchvisionWeights(WebWeights):
    """torchvision's default weights of one of its models."""

    scheme = "torchvision"

    def address(self) -> str:
        url = place(self.name) or self._url()
        return _mirror() + urlsplit(url).path if _mirror() else url

    def _url(self) -> str:
        from torchvision.models import get_model_weights

        try:
            return get_model_weights(self.key).DEFAULT.url
        except ValueError as error:
            raise AtelierError(f"torchvision has no model {self.key!r}") from error


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
