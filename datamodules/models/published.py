"""Weights that no package ships: where they come from, where they lie, and what to do without them.

A model is named as the library that loads it names it:

  open_clip:ViT-B-32-quickgelu/openai     a model and a tag of open_clip
  torchvision:vgg19                       torchvision's default weights of a model
  timm:vit_small_patch16_224.dino         a model of timm with its tag
  hf:CIDAS/clipseg-rd64-refined           a repository of the Hugging Face hub
  tokenizer:timm/ViT-B-16-SigLIP          a repository's tokenizer alone
  file:chaofengc/IQA-PyTorch-Weights/FILE one file of a repository

Files are looked for in the libraries' own caches (HF_HOME, TORCH_HOME) and are never unpickled
beyond tensors. Where one is missing it is fetched if the network answers at once; else one sentence
says what to do. With HF_HUB_OFFLINE=1 no connection is tried.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import urllib.error
import urllib.request
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from datamodules.models.cache import REMEDY, cache_dir
from datamodules.support.errors import AtelierError
from datamodules.support.files import sha256, write_json

if TYPE_CHECKING:
    from torch import nn

UNTRAINED = "untrained"  # in a weights' place: random ones, to measure time with
PROBE_SECONDS = 3.0  # a network that does not answer by then is none
MODEL_FILES = ("*.safetensors", "*.bin", "*.gguf")


@dataclass(frozen=True)
class Weights(ABC):
    """Weights by the name that their library gives them."""

    scheme: ClassVar[str]
    key: str

    @property
    def name(self) -> str:
        """As it is written in configurations and commands: scheme:key."""
        return f"{self.scheme}:{self.key}"

    @abstractmethod
    def cached(self) -> Path | None:
        """The file, or the folder, in its library's cache; None if it is not there."""

    @abstractmethod
    def download(self) -> Path:
        """Fetch into the library's cache, with a progress bar on stderr."""

    @abstractmethod
    def address(self) -> str:
        """Of the server that has the file."""


class HubWeights(Weights):
    """Whatever lies on the Hugging Face hub; subclasses say which repository and files."""

    def address(self) -> str:
        from huggingface_hub import constants

        return constants.ENDPOINT


class HubRepository(HubWeights):
    """A whole repository: configuration, tokenizer and weights of a `transformers` model."""

    scheme = "hf"

    def cached(self) -> Path | None:
        from huggingface_hub import try_to_load_from_cache

        config = try_to_load_from_cache(self.key, "config.json")
        folder = Path(config).parent if isinstance(config, str) else None
        complete = folder and any(any(folder.glob(pattern)) for pattern in MODEL_FILES)
        return folder if complete else None

    def download(self) -> Path:
        from huggingface_hub import snapshot_download

        # Pickles beside safetensors are not wanted, and copies for other frameworks neither.
        skipped = ["*.h5", "*.msgpack", "*.onnx", "*.pth", "original/*"]
        return Path(snapshot_download(self.key, ignore_patterns=skipped))


class HubTokenizer(HubWeights):
    """The tokenizer of a hub repository, without its weights."""

    scheme = "tokenizer"

    def cached(self) -> Path | None:
        from huggingface_hub import try_to_load_from_cache

        file = try_to_load_from_cache(self.key, "tokenizer.json")
        return Path(file).parent if isinstance(file, str) else None

    def download(self) -> Path:
        from huggingface_hub import snapshot_download

        wanted = ["tokenizer*", "special_tokens_map.json", "*.model"]
        return Path(snapshot_download(self.key, allow_patterns=wanted))


class HubFile(HubWeights):
    """One file of a hub repository: OWNER/REPOSITORY/FILE."""

    scheme = "file"

    def _place(self) -> tuple[str, str]:
        """The repository and the file's path in it."""
        owner, _, rest = self.key.partition("/")
        repository, _, file = rest.partition("/")
        if not (owner and repository and file):
            raise AtelierError(
                f"{self.name} names no file on the hub; write file:OWNER/REPOSITORY/FILE"
            )
        return f"{owner}/{repository}", file

    def cached(self) -> Path | None:
        from huggingface_hub import try_to_load_from_cache

        path = try_to_load_from_cache(*self._place())
        return Path(path) if isinstance(path, str) else None

    def download(self) -> Path:
        from huggingface_hub import hf_hub_download

        return Path(hf_hub_download(*self._place()))


class TimmWeights(HubWeights):
    """The weights file of a timm model."""

    scheme = "timm"
    files: ClassVar = ("model.safetensors", "pytorch_model.bin")

    def _repository(self) -> str:
        import timm

        config = timm.models.get_pretrained_cfg(self.key)
        if config is None or not config.hf_hub_id:
            raise AtelierError(
                f"timm has no weights named {self.key!r}; see timm.list_pretrained()"
            )
        return config.hf_hub_id.rstrip("/")

    def cached(self) -> Path | None:
        from huggingface_hub import try_to_load_from_cache

        found = (try_to_load_from_cache(self._repository(), file) for file in self.files)
        return next((Path(path) for path in found if isinstance(path, str)), None)

    def download(self) -> Path:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import RemoteEntryNotFoundError

        for file in self.files:
            try:
                return Path(hf_hub_download(self._repository(), file))
            except RemoteEntryNotFoundError:
                continue
        raise AtelierError(f"{self._repository()} on the hub has none of {', '.join(self.files)}")


class OpenClipWeights(TimmWeights):
    """The weights file of a pretrained tag of an open_clip model: MODEL/TAG."""

    scheme = "open_clip"
    files: ClassVar = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")

    def _repository(self) -> str:
        import open_clip

        model, _, tag = self.key.partition("/")
        config = open_clip.get_pretrained_cfg(model, tag)
        if not config:
            raise AtelierError(
                f"open_clip has no weights {tag!r} for the model {model!r}; it has "
                f"{', '.join(open_clip.list_pretrained_tags_by_model(model)) or 'no such model'}"
            )
        if not config.get("hf_hub"):
            raise AtelierError(
                f"{self.name} is not on the hub; download it and register the file: "
                f"atelier weights path {self.name}=FILE"
            )
        return config["hf_hub"].rstrip("/")


class TorchvisionWeights(Weights):
    """torchvision's default weights of one of its models."""

    scheme = "torchvision"

    def _url(self) -> str:
        from torchvision.models import get_model_weights

        try:
            return get_model_weights(self.key).DEFAULT.url
        except ValueError as error:
            raise AtelierError(f"torchvision has no model {self.key!r}") from error

    def _target(self) -> Path:
        import torch

        return Path(torch.hub.get_dir()) / "checkpoints" / self._url().rsplit("/", 1)[-1]

    def cached(self) -> Path | None:
        return self._target() if self._target().is_file() else None

    def download(self) -> Path:
        import torch

        target = self._target()
        target.parent.mkdir(parents=True, exist_ok=True)
        prefix = re.search(r"-([0-9a-f]{8,})\.", target.name)
        torch.hub.download_url_to_file(self._url(), str(target), prefix and prefix[1])
        return target

    def address(self) -> str:
        return self._url()


SCHEMES = {
    kind.scheme: kind
    for kind in (
        OpenClipWeights,
        TorchvisionWeights,
        TimmWeights,
        HubRepository,
        HubTokenizer,
        HubFile,
    )
}


def named(name: str) -> Weights:
    """The weights of a name "scheme:key"; AtelierError if there is no such scheme."""
    scheme, _, key = name.partition(":")
    if scheme not in SCHEMES or not key:
        raise AtelierError(
            f"{name!r} names no weights; write a file's path or one of "
            f"{', '.join(f'{known}:NAME' for known in SCHEMES)}"
        )
    return SCHEMES[scheme](key)


def registry() -> dict[str, str]:
    """Local files that `atelier weights path` has registered, by the weights' name."""
    try:
        return json.loads((cache_dir() / "weights.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise AtelierError(
            f"{cache_dir() / 'weights.json'} is damaged; delete it and register files again"
        ) from error


def register(name: str, path: Path) -> None:
    """Let a name stand for a local file or folder from now on."""
    named(name)
    if not path.exists():
        raise AtelierError(f"There is nothing at {path}; give the weights' file or folder")
    write_json(cache_dir() / "weights.json", registry() | {name: str(path.absolute())}, REMEDY)


def present(weights: Weights) -> Path | None:
    """Where the weights lie on this machine, registered or cached; None if nowhere."""
    own = registry().get(weights.name)
    if own and not Path(own).exists():
        raise AtelierError(
            f"{weights.name} was registered as {own}, where there is nothing now; register it "
            f"again: atelier weights path {weights.name}=FILE"
        )
    return Path(own) if own else weights.cached()


def require(name: str, instead: str) -> Path:
    """The file or folder of weights; fetched if they are missing and the network answers.

    name: "scheme:key", or a path. instead: what works without them, for the error's sentence.
    Raises AtelierError where they are missing and cannot be had.
    """
    if Path(name).exists():
        return Path(name)
    if ":" not in name:
        raise AtelierError(f"There are no weights at {name}; give a file or a name such as hf:NAME")
    weights = named(name)
    path = present(weights)
    if path is None and online(weights.address()):
        return fetch(weights)
    if path is None:
        raise AtelierError(
            f"The weights {name} are not on this machine and their server does not answer; where "
            f"it does, run: atelier weights fetch {name} (with a copy of the file: atelier weights "
            f"path {name}=FILE); without them, {instead}"
        )
    return path


def fetch(weights: Weights) -> Path:
    """Download the weights; every failure is one sentence, and no network is said at once."""
    if not online(weights.address()):
        raise AtelierError(
            f"{weights.name} cannot be fetched: its server does not answer from here; try again "
            "with a network, or register a copy of the file with atelier weights path NAME=FILE"
        )
    try:
        path = weights.download()
    except AtelierError:
        raise
    except Exception as error:  # whatever the hub's and torch's clients raise
        raise AtelierError(
            f"{weights.name} could not be fetched ({reason(error)}); check the network, the name, "
            "and for gated models your access, then try again"
        ) from error
    if intact(path) is False:
        raise AtelierError(
            f"{path} does not agree with its checksum; delete it and fetch {weights.name} again"
        )
    return path


def offline() -> bool:
    """Whether the user has forbidden connections to model hubs."""
    forbidden = {"1", "ON", "YES", "TRUE"}
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in forbidden


def online(address: str) -> bool:
    """Whether a server answers at once; never asks where connections are forbidden."""
    return not offline() and answers(address)


def answers(address: str) -> bool:
    """Whether a server answers at once."""
    request = urllib.request.Request(address, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=PROBE_SECONDS).close()
    except urllib.error.HTTPError as error:
        return error.code < 500 and error.code not in (403, 407)
    except (OSError, ValueError):
        return False
    return True


def intact(path: Path) -> bool | None:
    """Whether files agree with the checksums in their names; None where no name has one.

    The hub's cache names large files by their sha256, torch's by its first 8 digits.
    """
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    verdicts = []
    for file in files:
        blob = re.fullmatch(r"[0-9a-f]{64}", file.resolve().name)
        prefix = re.search(r"-([0-9a-f]{8,64})\.\w+$", file.name)
        if expected := (blob and blob[0]) or (prefix and prefix[1]):
            verdicts.append(sha256(file).startswith(expected))
    return all(verdicts) if verdicts else None


def load_into(
    network: nn.Module, path: Path, what: str, convert: Callable[[Any], dict] = dict
) -> None:
    """Load a file's tensors into a network, every one of them; every failure is one sentence.

    what: the network as the sentence names it, "torchvision's VGG-19"; convert: from what the file
    holds to the network's state dict.
    """
    try:
        network.load_state_dict(convert(_tensors(path)))
    except Exception as error:  # torch, pickle and safetensors raise many kinds
        raise AtelierError(
            f"{path} is no checkpoint of {what} ({reason(error)}); give the file that is "
            "published for it"
        ) from error


def _tensors(path: Path) -> Any:
    """What a .safetensors or torch file holds; nothing but tensors and plain values is read."""
    import torch

    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    try:
        # Files of the time before torch's zip format, torchvision's among them, cannot be mapped.
        mapped = zipfile.is_zipfile(path)
        return torch.load(path, weights_only=True, map_location="cpu", mmap=mapped)
    except pickle.UnpicklingError as error:  # torch's own words advise to run what is in the file
        raise ValueError("it is damaged or holds more than tensors") from error


def reason(error: Exception) -> str:
    """An error's kind and the beginning of its words, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
