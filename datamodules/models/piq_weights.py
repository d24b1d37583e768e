"""Files of piq's releases, in the cache where piq itself looks for them."""

from __future__ import annotations

import re

from datamodules.models.web_weights import WebWeights
from datamodules.support.errors import AtelierError

RELEASES = "https://github.com/photosynthesis-team/piq/releases/download"


class PiqWeights(WebWeights):
    """A file of a release of piq: TAG/FILE."""

    scheme = "piq"

    def address(self) -> str:
        if not re.fullmatch(r"[^/]+/[^/]+", self.key):
            raise AtelierError(f"{self.name} is no file of a release of piq; write piq:TAG/FILE")
        return f"{RELEASES}/{self.key}"
