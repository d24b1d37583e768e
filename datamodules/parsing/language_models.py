"""Causal language models with their tokenizers: the embedded ones, and any of `transformers`.

Loaded once a process and shared; frozen; no code of a repository is ever run.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.models.packaged import (
    GEMMA3_270M,
    SMOLLM2,
    EmbeddedFile,
    SplitFile,
    assemble,
    cache_dir,
    locate,
    sha256,
)
from datamodules.models.published import reason, require
from datamodules.parsing.scoring import Causal, Network
from datamodules.support.errors import AtelierError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

CHECKSUMS = "sha256.json"  # in a converted model's folder: file name -> digest
SMALL = 1e9  # parameters; up to this a model computes in float32, beyond as stored
INSTEAD = "the embedded model smollm2 needs none"


@contextlib.contextmanager
def _quiet_transformers():
    """No progress bars or warnings while a model loads; the user's settings come back after.

    The GGUF reader draws its bar whatever the settings say, hence the redirection.
    """
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _read_folder(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model, as stored, and the tokenizer that `save_pretrained` wrote into a folder."""
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


def _convert_gguf(file: EmbeddedFile | SplitFile, folder: Path) -> None:
    """Write a GGUF file as float16 safetensors with its tokenizer; all of the folder or nothing."""
    path = assemble(file) if isinstance(file, SplitFile) else locate(file)
    try:  # before the work, so that it is not lost
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AtelierError(
            f"The model cache {folder.parent} cannot be made ({error.strerror}); "
            "set ATELIER_CACHE to a folder that can be written"
        ) from error
    model, tokenizer = _read_gguf(path)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        built = Path(temporary) / "model"
        model.save_pretrained(built)
        tokenizer.save_pretrained(built)
        sums = {part.name: sha256(part) for part in built.iterdir()}
        (built / CHECKSUMS).write_text(json.dumps(sums, indent=2))
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # another process has just put its own there
            built.replace(folder)


def _is_intact(folder: Path) -> bool:
    """Whether a converted model is complete and unaltered (transformers would not notice)."""
    try:
        sums = json.loads((folder / CHECKSUMS).read_text())
        return all(sha256(folder / name) == digest for name, digest in sums.items())
    except (OSError, ValueError, AttributeError):
        return False


def _embedded(name: str, file: EmbeddedFile | SplitFile) -> Path:
    """The folder of an embedded model, converted once from GGUF into the user's cache."""
    folder = cache_dir() / f"{name}-{file.sha256[:16]}"
    if not _is_intact(folder):
        with _quiet_transformers():
            _convert_gguf(file, folder)
    return folder


@lru_cache(maxsize=1)
def load_smollm2() -> Network:
    """SmolLM2-135M-Instruct; the first time takes 20 s. It needs no `transformers` afterwards."""
    import torch

    from datamodules.parsing.llama import Llama

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Llama(_embedded("smollm2-135m-instruct", SMOLLM2), device)


@lru_cache(maxsize=1)
def load_gemma3_270m() -> Network:
    """Gemma 3 270M, a base model; optional, see requirements/gemma.txt. The first time takes 60 s.

    Gemma is provided under and subject to the Gemma Terms of Use (ai.google.dev/gemma/terms).
    """
    folder = _embedded("gemma-3-270m", GEMMA3_270M)
    with _quiet_transformers():
        # Widening after the loading is much faster than asking for float32 at once.
        return Causal(*_placed(*_read_folder(folder)))


EMBEDDED = {"smollm2": load_smollm2, "gemma3-270m": load_gemma3_270m}


def load_network(source: str) -> Network:
    """An embedded model by its name, or any that `load_language_model` knows."""
    return EMBEDDED[source]() if source in EMBEDDED else Causal(*load_language_model(source))


@lru_cache(maxsize=2)
def load_language_model(source: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A causal model and its tokenizer, frozen, on the GPU if there is one.

    source: a hub repository (the paper's is "meta-llama/Llama-2-7b-chat-hf"), a folder that
    `save_pretrained` wrote, or a GGUF file. Raises AtelierError for what is missing or no such
    model.
    """
    known = Path(source).exists() or source.endswith(".gguf")
    path = require(source if known else f"hf:{source.removeprefix('hf:')}", INSTEAD)
    try:
        with _quiet_transformers():
            return _placed(*(_read_gguf(path) if path.is_file() else _read_folder(path)))
    except Exception as error:  # transformers raises many kinds for a bad file
        raise AtelierError(
            f"{path} cannot be read as a causal language model ({reason(error)}); "
            "give a folder or GGUF file of a model that transformers knows"
        ) from error


def _placed(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """On the GPU if there is one; small models in float32, since Gemma's 1e5 overflow float16."""
    import torch

    if model.num_parameters() <= SMALL:
        model = model.float()
    if torch.cuda.is_available():
        model = model.to("cuda")
    return model.eval().requires_grad_(False), tokenizer
