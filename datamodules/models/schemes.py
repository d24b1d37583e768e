"""Names of published weights, and what each kind of name means: where the files lie and come from.

  open_clip:ViT-B-32-quickgelu/openai     a model and a tag of open_clip
  torchvision:vgg19                       torchvision's default weights of a model
  timm:vit_small_patch16_224.dino         a model of timm with its tag
  hf:CIDAS/clipseg-rd64-refined           a repository of the Hugging Face hub
  tokenizer:timm/ViT-B-16-SigLIP          a repository's tokenizer alone
  file:chaofengc/IQA-PyTorch-Weights/FILE one file of a repository

A model has the name that its library gives it, and its files lie in that library's own cache
(HF_HOME, TORCH_HOME).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from datamodules.support.errors import AtelierError

MODEL_FILES = ("*.safetensors", "*.bin", "*.gguf")


@dataclass(frozen=True)
class Weights(ABC):
    """Weights of one scheme, by the key that their library gives them."""

    scheme: ClassVar[str]
    key: str

    @property
    def name(self) -> str:
        """The name in configurations and commands: scheme:key."""
        return f"{self.scheme}:{self.key}"

    @abstractmethod
    def cached(self) -> Path | None:
        """The file or folder in the library's cache; None if it is not there."""

    @abstractmethod
    def download(self) -> Path:
        """Download into the library's cache, with a progress bar on stderr; return the path."""

    @abstractmethod
    def address(self) -> str:
        """The URL of the server that has the file."""


class HubWeights(Weights):
    """Weights on the Hugging Face hub."""

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

        # Neither pickles beside safetensors nor copies for other frameworks.
        ignore = ["*.h5", "*.msgpack", "*.onnx", "*.pth", "original/*"]
        return Path(snapshot_download(self.key, ignore_patterns=ignore))


class HubTokenizer(HubWeights):
    """The tokenizer of a hub repository, without its weights."""

    scheme = "tokenizer"

    def cached(self) -> Path | None:
        from huggingface_hub import try_to_load_from_cache

        file = try_to_load_from_cache(self.key, "tokenizer.json")
        return Path(file).parent if isinstance(file, str) else None

    def download(self) -> Path:
        from huggingface_hub import snapshot_download

        patterns = ["tokenizer*", "special_tokens_map.json", "*.model"]
        return Path(snapshot_download(self.key, allow_patterns=patterns))


class HubFile(HubWeights):
    """One file of a hub repository: OWNER/REPOSITORY/FILE."""

    scheme = "file"

    def _place(self) -> tuple[str, str]:
        """The repository and the file's path in it."""
        owner, _, rest = self.key.partition("/")
        repository, _, file = rest.partition("/")
        if not (owner and repository and file):
            raise AtelierError(
                f"{self.name} is no file on the hub; write file:OWNER/REPOSITORY/FILE"
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

        paths = (try_to_load_from_cache(self._repository(), file) for file in self.files)
        return next((Path(path) for path in paths if isinstance(path, str)), None)

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


def by_name(name: str) -> Weights:
    """The weights with the name "scheme:key"; AtelierError if there is no such scheme."""
    scheme, _, key = name.partition(":")
    if scheme not in SCHEMES or not key:
        raise AtelierError(
            f"{name!r} is not the name of any weights; write a file's path or one of "
            f"{', '.join(f'{scheme}:NAME' for scheme in SCHEMES)}"
        )
    return SCHEMES[scheme](key)
