"""Weights that no package contains: finding them on this machine and loading them.

They are named as in `schemes`, or by a file's path. Files that are missing are fetched if the
network answers at once; otherwise one sentence says what to do. With HF_HUB_OFFLINE=1 no connection
is tried. Of a file, nothing but tensors and plain values is ever unpickled.
"""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datamodules.models.cache import REMEDY, cache_dir
from datamodules.models.connection import online
from datamodules.models.fetching import fetch
from datamodules.models.hand_weights import PAGES, HandWeights
from datamodules.models.schemes import by_name, is_path
from datamodules.models.weights import Weights
from datamodules.support.errors import AtelierError, reason
from datamodules.support.files import write_json

if TYPE_CHECKING:
    from torch import nn

UNTRAINED = "untrained"  # in place of a name: random weights, for measuring time


def registry() -> dict[str, str]:
    """Paths of local files that `atelier weights path` has registered, by the weights' name."""
    file = cache_dir() / "weights.json"
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise AtelierError(f"Cannot read {file} ({error.strerror}); {REMEDY}") from error
    except ValueError as error:
        raise AtelierError(f"{file} is damaged; delete it and register files again") from error


def register(name: str, path: Path) -> None:
    """Let a name stand for a local file or folder from now on."""
    by_name(name)  # refuses a name that is none
    if not path.exists():
        raise AtelierError(f"There is nothing at {path}; give the weights' file or folder")
    write_json(cache_dir() / "weights.json", registry() | {name: str(path.absolute())}, REMEDY)


def local_path(weights: Weights | HandWeights) -> Path | None:
    """The file or folder on this machine, registered or cached; None if there is neither.

    Raises AtelierError if a registered file is no longer there.
    """
    path = registry().get(weights.name)
    if path and not Path(path).exists():
        raise AtelierError(
            f"{weights.name} was registered as {path}, where there is nothing now; register it "
            f"again: atelier weights path {weights.name}=FILE"
        )
    return Path(path) if path else weights.cached()


def require(name: str, instead: str) -> Path:
    """The file or folder of weights, fetched if it is missing and the network answers.

    name: as `schemes` has them, or a path. instead: what works without them, the end of the error's
    sentence. Raises AtelierError if they are missing and cannot be fetched.
    """
    if is_path(name):
        return Path(name)
    if ":" not in name and name not in PAGES:
        raise AtelierError(f"There are no weights at {name}; give a file or a name such as hf:NAME")
    weights = by_name(name)
    path = local_path(weights)
    if path is None and weights.by_hand:
        raise AtelierError(f"{weights.by_hand}; without them, {instead}")
    if path is None and online(weights.address()):
        return fetch(weights)
    if path is None:
        raise AtelierError(
            f"The weights {name} are not on this machine and their server does not answer; where "
            f"it does, run: atelier weights fetch {name} (with a copy of the file: atelier weights "
            f"path {name}=FILE); without them, {instead}"
        )
    return path


def load_into(
    network: nn.Module, path: Path, what: str, convert: Callable[[Any], dict] = dict
) -> None:
    """Load a file's tensors into a network, which must need all of them.

    what: the network as the error's sentence names it, "torchvision's VGG-19". convert: from the
    file's content to the network's state dict. Raises AtelierError for every failure.
    """
    try:
        network.load_state_dict(convert(_tensors(path)))
    except Exception as error:  # torch, pickle and safetensors raise many kinds
        raise AtelierError(
            f"{path} is no checkpoint of {what} ({reason(error)}); give the file that is "
            "published for it"
        ) from error


def _tensors(path: Path) -> Any:
    """The content of a .safetensors or torch file: tensors and plain values, nothing else."""
    import torch

    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    try:
        # Files older than torch's zip format, torchvision's among them, cannot be mapped.
        mapped = zipfile.is_zipfile(path)
        return torch.load(path, weights_only=True, map_location="cpu", mmap=mapped)
    except pickle.UnpicklingError as error:  # torch's own words advise to run what is in the file
        raise ValueError("it is damaged or holds more than tensors") from error
