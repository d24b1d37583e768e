"""Weights on the Hugging Face hub: models of transformers, timm and open_clip, single files."""

from __future__ import annotations

import json
from abc import abstractmethod
from fnmatch import fnmatch
from pathlib import Path

from datamodules.models import hub
from datamodules.models.places import place
from datamodules.models.weights import RemoteFile, Source, Weights
from datamodules.support.errors import AtelierError

MODEL_FILES = ("*.safetensors", "*.bin", "*.gguf")
# Files of a model of `transformers` beside its weights, and the names that it gives those, the
# first format that a repository has. Pickles beside safetensors would double the download.
MODEL_PARTS = ("*.json", "*.txt", "*.model", "*.jinja")
MODEL_FORMATS = (
    ("model.safetensors", "model-*-of-*.safetensors"),
    ("pytorch_model.bin", "pytorch_model-*-of-*.bin"),
    ("*.gguf",),
)
TOKENIZER_PARTS = ("tokenizer*", "special_tokens_map.json", "*.model")


class HubWeights(Weights):
    """Weights on the Hugging Face hub."""

    home = "HF_HOME"

    @abstractmethod
    def choose(self, names: list[str]) -> list[str]:
        """Files that are needed, of all in a repository."""

    def remote(self) -> list[RemoteFile]:
        source = self.source()
        sizes = hub.sizes(source.place)
        names = self.choose(list(sizes))
        if not names:
            raise AtelierError(
                f"{source.place} on the hub has no weights such as {' or '.join(source.files)}; "
                "check the name"
            )
        return [
            RemoteFile(
                source.place,
                name,
                source.revision,
                sizes[name],
                hub.cached(source.place, name) is not None,
            )
            for name in names
        ]

    def download(self, files: list[RemoteFile]) -> Path:
        return hub.download(self.source().place, [file.name for file in files])

    def address(self) -> str:
        return hub.endpoint()

    def folder(self) -> Path:
        return hub.cache_folder()


class HubRepository(HubWeights):
    """A whole repository: configuration, tokenizer and weights of a `transformers` model."""

    scheme = "hf"

    def source(self) -> Source:
        return _on_main(self.key, MODEL_FORMATS[0])

    def choose(self, names: list[str]) -> list[str]:
        formats = (_matching(names, patterns) for patterns in MODEL_FORMATS)
        weights = next((files for files in formats if files), [])
        return weights and _matching(names, MODEL_PARTS) + weights

    def cached(self) -> Path | None:
        config = hub.cached(self.key, "config.json")
        return config.parent if config and _complete(config.parent) else None


class HubTokenizer(HubWeights):
    """The tokenizer of a hub repository, without its weights."""

    scheme = "tokenizer"

    def source(self) -> Source:
        return _on_main(self.key, ("tokenizer.json",))

    def choose(self, names: list[str]) -> list[str]:
        return _matching(names, TOKENIZER_PARTS)

    def cached(self) -> Path | None:
        file = hub.cached(self.key, "tokenizer.json")
        return file and file.parent


class HubFile(HubWeights):
    """One file of a hub repository: OWNER/REPOSITORY/FILE."""

    scheme = "file"

    def source(self) -> Source:
        owner, _, rest = self.key.partition("/")
        repository, _, file = rest.partition("/")
        if not (owner and repository and file):
            raise AtelierError(
                f"{self.name} is no file on the hub; write file:OWNER/REPOSITORY/FILE"
            )
        return _on_main(f"{owner}/{repository}", (file,))

    def choose(self, names: list[str]) -> list[str]:
        return [name for name in self.source().files if name in names][:1]

    def cached(self) -> Path | None:
        source = self.source()
        paths = (hub.cached(source.place, file) for file in source.files)
        return next((path for path in paths if path), None)

    def download(self, files: list[RemoteFile]) -> Path:
        return super().download(files) / files[0].name


class TimmWeights(HubFile):
    """The weights file of a timm model."""

    scheme = "timm"

    def source(self) -> Source:
        repository = (place(self.name) or self._hub_id()).rstrip("/")
        return _on_main(repository, ("model.safetensors", "pytorch_model.bin"))

    def _hub_id(self) -> str:
        import timm

        config = timm.models.get_pretrained_cfg(self.key)
        if config is None or not config.hf_hub_id:
            raise AtelierError(
                f"timm has no weights named {self.key!r} on the hub; see timm.list_pretrained()"
            )
        return config.hf_hub_id


class OpenClipWeights(HubFile):
    """The weights file of a pretrained tag of an open_clip model: MODEL/TAG."""

    scheme = "open_clip"

    def source(self) -> Source:
        # OWNER/REPOSITORY/ or OWNER/REPOSITORY/FILE
        repository, _, file = (place(self.name) or self._hub_id()).rpartition("/")
        if file:
            return _on_main(repository, (f"{Path(file).stem}.safetensors", file))
        return _on_main(repository, ("open_clip_model.safetensors", "open_clip_pytorch_model.bin"))

    def _hub_id(self) -> str:
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
        return config["hf_hub"]


def _matching(names: list[str], patterns: tuple[str, ...]) -> list[str]:
    """Names of files, in no folder, that match one of the patterns."""
    return [n for n in names if "/" not in n and any(fnmatch(n, p) for p in patterns)]


def _complete(folder: Path) -> bool:
    """Whether a folder has all weights of a model: one file, or all that an index names."""
    if indices := [*folder.glob("*.index.json")]:
        parts = (json.loads(index.read_text("utf-8"))["weight_map"].values() for index in indices)
        return any(all((folder / name).exists() for name in set(names)) for names in parts)
    files = (file for pattern in MODEL_FILES for file in folder.glob(pattern))
    return any("-of-" not in file.name for file in files)


def _on_main(repository: str, files: tuple[str, ...]) -> Source:
    return Source(repository, files, hub.MAIN)
