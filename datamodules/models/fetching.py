"""Downloads of published weights: which files, whether there is room, and what can go wrong.

Every failure is one sentence. None of them contains an access token or the password of a proxy,
whatever a server or a library puts into its messages.
"""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from datamodules.models.connection import online
from datamodules.models.hand_weights import HandWeights
from datamodules.models.weights import RemoteFile, Weights
from datamodules.support.errors import AtelierError, reason
from datamodules.support.files import is_there, sha256

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}
HUB = "https://huggingface.co"  # where licences are accepted, whatever HF_ENDPOINT is
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404


def remote_files(weights: Weights) -> list[RemoteFile]:
    """The files that `fetch` downloads, as their server lists them; AtelierError if it does not."""
    try:
        return weights.remote()
    except AtelierError:
        raise
    except Exception as error:  # whatever the hub's client and urllib raise
        raise _explained(error, weights) from error


def fetch(weights: Weights | HandWeights) -> Path:
    """Download weights; return their file or folder.

    Raises AtelierError for every failure, and at once if the server does not answer. No file stays
    that is not whole.
    """
    if weights.by_hand:
        raise AtelierError(weights.by_hand)
    if not online(weights.address()):
        raise AtelierError(
            f"{weights.name} cannot be fetched: its server does not answer from here; try again "
            "with a network, or register a copy of the file with atelier weights path NAME=FILE"
        )
    files = remote_files(weights)
    _check_room(weights, sum(file.size or 0 for file in files if not file.here))
    try:
        path = weights.download(files)
    except AtelierError:
        raise
    except Exception as error:  # whatever the hub's client and urllib raise
        raise _explained(error, weights) from error
    _refuse_altered(path, weights)
    return path


def free_space(folder: Path) -> int:
    """Free bytes on the disk of a folder, which may not be there yet."""
    place = next(path for path in (folder, *folder.absolute().parents) if is_there(path))
    return shutil.disk_usage(place).free


def altered_files(path: Path) -> list[Path] | None:
    """Files of weights that differ from the checksum in their names; None if no name has one.

    The hub's cache names large files by their SHA-256; torch's names end with its first digits.
    """
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    digests = {file: digits for file in files if (digits := _digits(file))}
    if not digests:
        return None
    return [file for file, digits in digests.items() if not sha256(file).startswith(digits)]


def _digits(file: Path) -> str:
    """First digits of the SHA-256 that a file's name, or that of its blob, tells."""
    blob = re.fullmatch(r"[0-9a-f]{64}", file.resolve().name)
    prefix = re.search(r"-([0-9a-f]{8,64})\.\w+$", file.name)
    return blob[0] if blob else prefix[1] if prefix else ""


def _refuse_altered(path: Path, weights: Weights) -> None:
    """Delete files that differ from their checksums; AtelierError if there are any."""
    if not (files := altered_files(path)):
        return
    for file in files:
        file.resolve().unlink()
        file.unlink(missing_ok=True)  # the link to it in the hub's cache
    raise AtelierError(
        f"{weights.name} could not be fetched: {files[0].name} differs from its checksum, and was "
        "deleted; fetch it again, from another network or mirror if this happens twice"
    )


def _check_room(weights: Weights, size: int) -> None:
    free = free_space(weights.folder())
    if size > free:
        raise AtelierError(
            f"{weights.name} needs {size / 1e9:.1f} GB, and {weights.folder()} has "
            f"{free / 1e9:.1f} GB free; make room, or set {weights.home} to a folder on a larger "
            "disk"
        )


def _explained(error: Exception, weights: Weights) -> AtelierError:
    """The sentence for an error of a download: that of the first cause that has one."""
    causes = list(_causes(error))
    sentences = (_sentence(cause, weights) for cause in causes)
    unknown = f"{reason(causes[-1])}; check the network, then try again"
    sentence = next(filter(None, sentences), unknown)
    return AtelierError(_without_secrets(f"{weights.name} could not be fetched: {sentence}"))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__


def _sentence(error: BaseException, weights: Weights) -> str:
    """Cause and remedy of a failure; "" for an error that says too little."""
    from huggingface_hub import errors

    source = weights.source()
    if isinstance(error, errors.GatedRepoError):
        return (
            f"{source.place} is gated; accept its licence at {HUB}/{source.place}, then log in by "
            "`hf auth login` or set HF_TOKEN, and try again"
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            f"the hub has no repository {source.place}, or hides it from your account; check the "
            "name, and log in by `hf auth login` if it is private"
        )
    if isinstance(error, OSError) and error.errno in FULL:
        return (
            f"the disk of {weights.folder()} is full; make room, or set {weights.home} to a folder "
            "on a larger disk"
        )
    if isinstance(error, OSError) and error.errno in UNWRITABLE:
        return (
            f"{error.filename or weights.folder()} cannot be written ({error.strerror}); set "
            f"{weights.home} to a folder that can"
        )
    if isinstance(error, UnicodeEncodeError):  # in a header
        return "the access token has characters that none has; copy it to HF_TOKEN again"
    return _refusal(_status(error), source.place)


def _status(error: BaseException) -> int | None:
    """The status code of an HTTP error of huggingface_hub or urllib."""
    return getattr(getattr(error, "response", error), "status_code", getattr(error, "code", None))


def _refusal(status: int | None, place: str) -> str:
    if status == UNAUTHORIZED:
        return f"{place} refuses your access token; log in again by `hf auth login` or set HF_TOKEN"
    if status == FORBIDDEN:
        return (
            f"{place} forbids access (403); check that your token may read it, and that no proxy "
            "blocks the server"
        )
    if status == NOT_FOUND:
        return f"{place} has no such file or revision (404); check the name"
    return ""


def _without_secrets(text: str) -> str:
    """A text without access tokens and passwords in addresses."""
    from huggingface_hub import get_token

    if token := get_token():
        text = text.replace(token, "...")
    return re.sub(r"(?<=://)[^/@\s]+@", "", text)
