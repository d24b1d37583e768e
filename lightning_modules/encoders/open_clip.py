"""CLIP and SigLIP through open_clip: the encoders of the papers."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.models.cache import once_per_process
from datamodules.models.catalogue import to_fetch
from datamodules.models.fast_linear import by_convolutions
from datamodules.models.published import UNTRAINED, require
from datamodules.support.errors import AtelierError, reason
from lightning_modules.encoders.base import JointEncoder, pieces

log = logging.getLogger(__name__)

INSTEAD = "the embedded encoder lightning_modules.encoders.bridge.BridgeEncoder needs none"

Tokenizer = Callable[[list[str]], Tensor]  # K texts to tokens (K, L)


class OpenCLIPEncoder(JointEncoder):
    """Any model of open_clip, e.g. CLIP ViT-B/32 (CLIPstyler, Soulstyler), RN50 or SigLIP.

    On a GPU the networks compute with half precision; embeddings are float32 everywhere.

    Args:
        model: open_clip's name of the architecture: ViT-B-32-quickgelu, RN50, ViT-B-16-SigLIP, ...
        pretrained: open_clip's tag of the weights (openai, webli, ...), path of a checkpoint, or
            "untrained" for random weights and meaningless tokens, which need no file (for timing).
        half: number format on a GPU. bfloat16 cannot overflow; float16, that of the published
            codes, is more exact by three binary digits.
    """

    def __init__(
        self,
        model: str = "ViT-B-32-quickgelu",
        pretrained: str = "openai",
        half: Literal["bfloat16", "float16"] = "bfloat16",
    ) -> None:
        import open_clip

        if model not in open_clip.list_models():
            raise AtelierError(f"open_clip has no model {model!r}; see open_clip.list_models()")
        if half not in ("bfloat16", "float16"):
            raise AtelierError(f"half is {half!r}; give bfloat16 or float16")
        super().__init__(*_statistics(model, pretrained))
        self.half = getattr(torch, half)
        self.identity = f"{model}-{Path(pretrained).stem}"
        self.network = _load(model, pretrained)
        self.network.visual = by_convolutions(self.network.visual)
        untrained = pretrained == UNTRAINED
        self.tokenizer = _blank_tokenizer(model) if untrained else _tokenizer(model)
        size = self.network.visual.image_size
        self.image_size = size if isinstance(size, int) else size[0]
        self.eval().requires_grad_(False)

    @classmethod
    def weights_needed(cls, model: str, pretrained: str, half: str) -> list[str]:
        """Names of the published weights that these arguments need."""
        if pretrained == UNTRAINED:
            return []
        return [*_network_weights(model, pretrained), *_tokenizer_weights(model)]

    def _on_gpu_half(self) -> torch.autocast:
        """Half precision on a GPU, no change elsewhere."""
        device = self.input_mean.device.type
        return torch.autocast(device, self.half, enabled=device == "cuda")

    def embed_images(self, images: Tensor) -> Tensor:
        with self._on_gpu_half():
            features = self.network.encode_image((images - self.input_mean) / self.input_std)
        return F.normalize(features.float(), dim=-1)

    def unread(self, text: str) -> list[str]:
        """For CLIP's own tokens, which are bytes, all but Latin script; else unknown tokens."""
        inner = getattr(self.tokenizer, "tokenizer", None)
        if inner is None or inner.unk_token_id is None:
            return super().unread(text)
        ids = {p: inner(p, add_special_tokens=False)["input_ids"] for p in pieces(text)}
        return [p for p in pieces(text) if inner.unk_token_id in ids[p]]

    def fits(self, text: str) -> bool:
        if inner := getattr(self.tokenizer, "tokenizer", None):
            return len(inner(text)["input_ids"]) <= self.tokenizer.context_length
        if encode := getattr(self.tokenizer, "encode", None):
            return len(encode(text)) + 2 <= self.tokenizer.context_length  # with start and end
        return True

    @torch.no_grad()
    def text_features(self, texts: list[str]) -> Tensor:
        tokens = self.tokenizer(texts).to(self.input_mean.device)
        with self._on_gpu_half():
            features = self.network.encode_text(tokens)
        return features.float()

    @torch.no_grad()
    def text_tokens(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Outputs (K, L, D) of the text transformer's last block; see JointEncoder."""
        tokens = self.tokenizer(texts).to(self.input_mean.device)
        states: list[Tensor] = []
        # A hook, because open_clip's kinds of models have no other access in common.
        transformer = getattr(self.network, "text", self.network).transformer
        hook = transformer.register_forward_hook(
            lambda _, inputs, output: states.append(getattr(output, "last_hidden_state", output))
        )
        try:
            with self._on_gpu_half():
                self.network.encode_text(tokens)
        finally:
            hook.remove()
        inner = getattr(self.tokenizer, "tokenizer", None)
        return states[0].float(), _no_padding(tokens, getattr(inner, "pad_token_id", None) or 0)


def _no_padding(tokens: Tensor, padding: int) -> Tensor:
    """Mask (K, L) of each text's tokens up to the last that is not `padding`; one at the least.

    The padding of CLIP is also its number of "!", which may stand within a text.
    """
    words = tokens != padding
    words[:, 0] = True
    return words.flip(1).cumsum(1).flip(1) > 0


def _network_weights(model: str, pretrained: str) -> list[str]:
    """Published name of the network's weights; [] for a file."""
    return [f"open_clip:{model}/{tag}" for tag in to_fetch(pretrained)]


def _tokenizer_weights(model: str) -> list[str]:
    """Published name of a tokenizer on the hub, e.g. SigLIP's; [] for one in open_clip itself."""
    repository = _config(model).get("text_cfg", {}).get("hf_tokenizer_name")
    return [f"tokenizer:{name}" for name in to_fetch(repository)] if repository else []


def _config(model: str) -> dict[str, Any]:
    """open_clip's configuration of a model, {} for one that it does not have.

    Its import takes seconds: without it the file is read; with it, what was added counts as well.
    """
    if library := sys.modules.get("open_clip"):
        return library.get_model_config(model) or {}
    file = Path(find_spec("open_clip").origin).parent / "model_configs" / f"{model}.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else {}


def _load(model: str, pretrained: str) -> torch.nn.Module:
    import open_clip

    quick = bool(open_clip.get_pretrained_cfg(model, pretrained).get("quick_gelu"))
    if pretrained == UNTRAINED:
        log.warning("%s is untrained: its embeddings mean nothing", model)
        return open_clip.create_model(model, load_weights=False)
    (source,) = _network_weights(model, pretrained) or [pretrained]
    path = require(source, INSTEAD)
    return _trained(path, model, quick)


@once_per_process(at_most=8)
def _trained(path: Path, model: str, quick: bool) -> torch.nn.Module:
    import open_clip

    network = open_clip.create_model(model, load_weights=False, force_quick_gelu=quick)
    try:
        open_clip.load_checkpoint(network, str(path), weights_only=True)
    except Exception as error:  # torch, safetensors and pickle each raise their own
        raise AtelierError(
            f"{path} is no checkpoint of {model} ({reason(error)}); check the file and the "
            "encoder's model"
        ) from error
    return network


def _tokenizer(model: str) -> Tokenizer:
    """open_clip's tokenizer, or one of the hub, which can be missing, as weights can."""
    import open_clip

    config = open_clip.get_model_config(model)["text_cfg"]
    if not (repository := config.get("hf_tokenizer_name")):
        return open_clip.get_tokenizer(model)
    (source,) = _tokenizer_weights(model) or [repository]
    folder = require(source, INSTEAD)
    # From its folder: for a name, transformers would ask the hub for a newer version.
    length, options = config.get("context_length", 77), config.get("tokenizer_kwargs", {})
    return open_clip.tokenizer.HFTokenizer(str(folder), context_length=length, **options)


def _blank_tokenizer(model: str) -> Tokenizer:
    """Tokenizer for an untrained network: as many tokens as usual, without any meaning."""
    import open_clip

    config = open_clip.get_model_config(model)["text_cfg"]
    length, words = config.get("context_length", 77), min(1000, config.get("vocab_size", 1000))
    return lambda texts: torch.tensor([[sum(text.encode()) % words] * length for text in texts])


def _statistics(model: str, pretrained: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of the input, by the tag or else by any tag of the model."""
    import open_clip

    tags = [pretrained, *open_clip.list_pretrained_tags_by_model(model)]
    configs = [open_clip.get_pretrained_cfg(model, tag) for tag in tags]
    config = next((c for c in configs if c.get("mean")), {})
    return (
        config.get("mean", open_clip.OPENAI_DATASET_MEAN),
        config.get("std", open_clip.OPENAI_DATASET_STD),
    )
