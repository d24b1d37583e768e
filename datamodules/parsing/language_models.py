"""Causal language models with their tokenizers: the embedded ones, and any of `transformers`.

Each is loaded once per process, frozen, and shared. No code of a model's repository is ever run.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.models.cache import REMEDY, cache_dir, on_disk, once_per_process
from datamodules.models.catalogue import to_fetch
from datamodules.models.packaged import GEMMA3_270M, SMOLLM2, EmbeddedFile, SplitFile, whole
from datamodules.models.pretrained import quiet_transformers
from datamodules.models.published import require
from datamodules.parsing.scoring import Causal, Network
from datamodules.support.errors import AtelierError, reason
from datamodules.support.files import new_folder, sha256, share

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

CHECKSUMS = "sha256.json"  # in a converted model's folder: file name -> digest
SMALL = 1e9  # parameters; up to this many a model computes in float32, beyond it as stored
INSTEAD = "the embedded model smollm2 needs none"


def _read_folder(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model, in its stored precision, and the tokenizer in a folder of `save_pretrained`."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return model, tokenizer


def _read_gguf(path: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model, in float16, and the tokenizer of a GGUF file."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = {"gguf_file": path.name, "local_files_only": True}
    quantized = AutoModelForCausalLM.from_pretrained(path.parent, dtype=torch.float16, **source)
    del quantized.config.quantization_config  # else transformers refuses to save or widen it
    plain = AutoModelForCausalLM.from_config(quantized.config, dtype=torch.float16)
    plain.load_state_dict(quantized.state_dict())
    return plain, AutoTokenizer.from_pretrained(path.parent, **source)


class ModelFolder:
    """A model and its tokenizer in a folder, with the SHA-256 of each file in CHECKSUMS."""

    required = True

    def read(self, path: Path) -> Path:
        """The folder. `transformers` would not notice a file that is cut off."""
        sums = json.loads((path / CHECKSUMS).read_text())
        altered = [name for name, digest in sums.items() if sha256(path / name) != digest]
        if altered:
            raise ValueError(f"the sha256 of {altered[0]} differs")
        return path

    def write(self, path: Path, value: tuple[PreTrainedModel, PreTrainedTokenizerBase]) -> Path:
        with new_folder(path, REMEDY) as built:
            with quiet_transformers():
                for part in value:
                    part.save_pretrained(built)
            sums = {file.name: sha256(file) for file in built.iterdir()}
            (built / CHECKSUMS).write_text(json.dumps(sums, indent=2))
            share(built)
            shutil.rmtree(path, ignore_errors=True)
            try:
                built.rename(path)
            except OSError:
                if not self._whole(path):  # else another process has just put its own there
                    raise
        return path

    def _whole(self, path: Path) -> bool:
        try:
            return self.read(path) == path
        except (OSError, ValueError):
            return False


def _model_folder(name: str, file: EmbeddedFile | SplitFile) -> Path:
    return cache_dir() / f"{name}-{file.sha256[:16]}"


@on_disk(ModelFolder(), _model_folder)
def _converted(
    name: str, file: EmbeddedFile | SplitFile
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """An embedded model in float16, read from its GGUF file, and its tokenizer."""
    with quiet_transformers(), whole(file) as path:
        return _read_gguf(path)


@once_per_process
def load_smollm2() -> Network:
    """SmolLM2-135M-Instruct. Takes 20 s the first time; later it does not need `transformers`."""
    import torch

    from datamodules.parsing.llama import Llama

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Llama(_converted("smollm2-135m-instruct", SMOLLM2), device)


@once_per_process
def load_gemma3_270m() -> Network:
    """Gemma 3 270M, a base model; optional, see requirements/gemma.txt. The first time takes 60 s.

    Gemma is provided under and subject to the Gemma Terms of Use (ai.google.dev/gemma/terms).
    """
    folder = _converted("gemma-3-270m", GEMMA3_270M)
    with quiet_transformers():
        # Loading in float16 and widening afterwards is much faster than loading in float32.
        return Causal(*_placed(*_read_folder(folder)))


EMBEDDED = {"smollm2": load_smollm2, "gemma3-270m": load_gemma3_270m}


def weights_needed(source: str) -> list[str]:
    """Names of the published weights of a model, none for an embedded one or a local file."""
    if source in EMBEDDED or source.endswith(".gguf"):
        return []
    return [f"hf:{name.removeprefix('hf:')}" for name in to_fetch(source)]


def load_network(source: str) -> Network:
    """An embedded model by its name, or any that `load_language_model` can read."""
    return EMBEDDED[source]() if source in EMBEDDED else Causal(*load_language_model(source))


@once_per_process(at_most=2)
def load_language_model(source: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A causal model and its tokenizer, frozen, on the GPU if there is one.

    source: a hub repository (the paper's is "meta-llama/Llama-2-7b-chat-hf"), a folder that
    `save_pretrained` wrote, or a GGUF file. Raises AtelierError for a source that is missing or
    holds no such model.
    """
    (name,) = weights_needed(source) or [source]
    path = require(name, INSTEAD)
    try:
        with quiet_transformers():
            return _placed(*(_read_gguf(path) if path.is_file() else _read_folder(path)))
    except Exception as error:  # transformers raises many kinds for a bad file
        raise AtelierError(
            f"{path} cannot be read as a causal language model ({reason(error)}); "
            "give a folder or GGUF file of a model that transformers knows"
        ) from error


def _placed(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Move a model to the GPU if there is one, and widen small ones to float32.

    Gemma's activations, up to 1e5, overflow float16.
    """
    import torch

    if model.num_parameters() <= SMALL:
        model = model.float()
    if torch.cuda.is_available():
        model = model.to("cuda")
    return model.eval().requires_grad_(False), tokenizer
