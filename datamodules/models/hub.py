"""The Hugging Face hub's own client, in the few calls that weights need.

It keeps the cache (HF_HOME), resumes cut downloads, draws the progress bars on stderr, and obeys
HF_ENDPOINT, HF_TOKEN and proxies. All imports are inside: it takes a while to load.
"""

from __future__ import annotations

from glob import escape
from pathlib import Path

from datamodules.support.errors import AtelierError

MAIN = "main"  # the branch that every library asks for unless it names another


def endpoint() -> str:
    """The hub's address: HF_ENDPOINT, else https://huggingface.co."""
    from huggingface_hub import constants

    return constants.ENDPOINT


def cache_folder() -> Path:
    """The folder of all repositories."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def cached(repository: str, file: str) -> Path | None:
    """A file of a repository in the cache; None if it is not there.

    Raises AtelierError for what cannot be a repository's name.
    """
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        path = try_to_load_from_cache(repository, file)
    except HFValidationError as error:
        raise AtelierError(
            f"{repository!r} cannot be a repository of the hub, and is no folder here; write "
            "OWNER/NAME, or the path of a folder"
        ) from error
    return Path(path) if isinstance(path, str) else None


def sizes(repository: str) -> dict[str, int | None]:
    """All files of a repository on the hub with their sizes in bytes, by one request."""
    from huggingface_hub import HfApi

    info = HfApi().model_info(repository, revision=MAIN, files_metadata=True)
    return {file.rfilename: file.size for file in info.siblings or []}


def download(repository: str, files: list[str]) -> Path:
    """Download files of a repository into the cache; return the folder in which they lie."""
    from huggingface_hub import snapshot_download

    names = [escape(file) for file in files]
    return Path(snapshot_download(repository, revision=MAIN, allow_patterns=names))
