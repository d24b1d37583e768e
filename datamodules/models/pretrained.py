"""Networks of `transformers` with their processors, from a repository of the hub or a folder."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from datamodules.models.catalogue import to_fetch
from datamodules.models.published import require
from datamodules.support.errors import AtelierError, reason

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, ProcessorMixin

Network = TypeVar("Network", bound="PreTrainedModel")
Processor = TypeVar("Processor", bound="ProcessorMixin")


@contextlib.contextmanager
def quiet_transformers():
    """Suppress progress bars and warnings while a model loads; restore the user's settings.

    The GGUF reader draws its progress bar whatever the settings are, hence the redirection.
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


def hub_names(*models: str) -> list[str]:
    """Names of the weights of models that are repositories of the hub, not local folders."""
    return [f"hf:{name}" for name in to_fetch(*models)]


def load_pretrained(
    model: str, network: type[Network], processor: type[Processor], what: str, instead: str
) -> tuple[Network, Processor]:
    """Network for inference, without gradients, and the processor of its inputs.

    model: repository of the hub, or path of a folder. network, processor: their classes. what: the
    network in the sentence of an error. instead: alternative without these weights, see `require`.
    Raises AtelierError if weights are missing, damaged, or of another architecture.
    """
    folder = require(*hub_names(model) or [model], instead)
    try:
        with quiet_transformers():
            _check_kind(folder, network.config_class)
            loaded, report = network.from_pretrained(
                folder, local_files_only=True, weights_only=True, output_loading_info=True
            )
            prepare = processor.from_pretrained(folder, local_files_only=True)
        # transformers fills missing tensors with random values and only warns.
        if missing := sorted(report["missing_keys"]):
            raise ValueError(f"{len(missing)} tensors are missing, {missing[0]} among them")
    except Exception as error:  # transformers, torch, pickle and safetensors raise their own
        raise AtelierError(
            f"{folder} holds no {what} ({reason(error)}); give a folder or a repository of the "
            "hub with its configuration, weights and tokenizer"
        ) from error
    return loaded.eval().requires_grad_(False), prepare


def _check_kind(folder: Path, config: type[PreTrainedConfig]) -> None:
    """ValueError for the configuration of another network, which transformers would build.

    The network for pictures is a part of that for videos, whose kind has a longer name.
    """
    kind = config.get_config_dict(folder, local_files_only=True)[0].get("model_type", "unknown")
    if not kind.startswith(config.model_type):
        raise ValueError(f"its configuration is of the kind {kind}, not {config.model_type}")
