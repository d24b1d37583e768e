"""Small pretrained networks from the files of Python packages (`packaged`).

Each is loaded once per process, frozen, and shared by all that use it (encoder, content features,
segmenter).
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from datamodules.models.cache import TensorFile, cache_dir, identity, on_disk, once_per_process
from datamodules.models.fast_linear import by_convolutions
from datamodules.models.packaged import MINILM, TOWERS, EmbeddedFile, locate

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of red, green and blue in [0, 1], over ImageNet's pictures
IMAGENET_STD = (0.229, 0.224, 0.225)


def efficientnet_lite0() -> nn.Module:
    """The EfficientNet-Lite0 that all parts of this process share."""
    return efficientnet("lite0")


@once_per_process
def efficientnet(tower: str) -> nn.Module:
    """ImageNet EfficientNet (timm), "lite0" or "lite2": frozen, batch norms folded, channels last.

    The published file lists its tensors in timm's order under other names. Folding the batch norms
    into the convolutions and channels-last together make a forward and backward pass 3x faster on
    a CPU at equal outputs (1e-5).
    """
    import timm

    network = timm.create_model(f"tf_efficientnet_{tower}")
    published = torch.load(locate(TOWERS[tower]), weights_only=True, map_location="cpu")
    network.load_state_dict(dict(zip(network.state_dict(), published.values(), strict=True)))
    _fold_batch_norms(network.eval())
    return network.requires_grad_(False).to(memory_format=torch.channels_last)


@once_per_process
def _imagenet_statistics(device: torch.device) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (1, 3, 1, 1) on a device."""
    mean, std = (torch.tensor(v, device=device) for v in (IMAGENET_MEAN, IMAGENET_STD))
    return mean.view(1, 3, 1, 1), std.view(1, 3, 1, 1)


def imagenet_input(images: Tensor) -> Tensor:
    """Pictures (N, 3, H, W) in [0, 1], normalised by ImageNet's statistics, channels last."""
    mean, std = _imagenet_statistics(images.device)
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def _fold_batch_norms(module: nn.Module) -> None:
    """Fold each timm BatchNormAct2d into the convolution before it; its activation stays."""
    previous = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, previous, nn.utils.fuse_conv_bn_eval(getattr(module, previous), child))
            setattr(module, name, child.act)
        else:
            _fold_batch_norms(child)
        previous = name


def onnx_weights(file: EmbeddedFile) -> dict[str, Tensor]:
    """The float tensors of an ONNX file by their names, and its 8-bit ones dequantised."""
    import onnx
    from onnx.numpy_helper import to_array

    graph = onnx.load(locate(file)).graph
    stored = {tensor.name: torch.tensor(to_array(tensor)) for tensor in graph.initializer}
    weights = {name: tensor for name, tensor in stored.items() if tensor.is_floating_point()}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in stored:
            integers, scale, zero = (stored[name] for name in node.input)
            shape = (-1, *[1] * (integers.dim() - 1)) if scale.dim() else ()
            levels = integers.float() - zero.float().view(shape)
            weights[node.output[0]] = levels * scale.view(shape)
    return weights


class SentenceEmbedder(nn.Module):
    """all-MiniLM-L6-v2: N texts to unit vectors (N, 384), the mean over each text's tokens."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import BertModel, BertTokenizerFast
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        folder = locate(MINILM).parent
        self.tokenizer = BertTokenizerFast.from_pretrained(folder, local_files_only=True)
        self.bert = by_convolutions(BertModel.from_pretrained(folder, local_files_only=True))
        self.eval().requires_grad_(False)

    def forward(self, texts: list[str]) -> Tensor:
        return _unit_vectors(self, self.bert.device, tuple(texts))

    @torch.no_grad()
    def tokens(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """States (N, L, 384) of the tokens of N texts, and which are no padding, bool (N, L)."""
        tokens = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        tokens = tokens.to(self.bert.device)
        return self.bert(**tokens).last_hidden_state, tokens["attention_mask"].bool()


# Method and judges ask for the same 79 prompts of a style. Whole lists are remembered, because the
# last digits of a vector depend on the texts beside it.
@once_per_process(at_most=256)
@torch.inference_mode(False)  # a vector may enter a graph later
@torch.no_grad()
def _unit_vectors(
    embedder: SentenceEmbedder, device: torch.device, texts: tuple[str, ...]
) -> Tensor:
    hidden, words = embedder.tokens(list(texts))
    mask = words.unsqueeze(-1)
    mean = (hidden * mask).sum(1) / mask.sum(1)
    return nn.functional.normalize(mean, dim=-1)


@once_per_process
def sentence_embedder() -> SentenceEmbedder:
    """The MiniLM that all parts of this process share."""
    return SentenceEmbedder()


@once_per_process
def imagenet_class_embeddings() -> Tensor:
    """Sentence embeddings of "a photo of a {name}" for the 1000 ImageNet classes, (1000, 384)."""
    from open_clip import IMAGENET_CLASSNAMES

    texts = tuple(f"a photo of a {name}" for name in IMAGENET_CLASSNAMES)
    return _sentence_embeddings("imagenet-classes", texts)["embeddings"]


def _embeddings_file(name: str, texts: tuple[str, ...]) -> Path:
    return cache_dir() / f"{name}-{identity(MINILM.sha256, texts)[:16]}.safetensors"


@on_disk(TensorFile(), _embeddings_file)
def _sentence_embeddings(name: str, texts: tuple[str, ...]) -> dict[str, Tensor]:
    """The embeddings (N, 384) of N texts, under "embeddings"; name: how the file's name begins."""
    hundreds = (list(texts[i : i + 100]) for i in range(0, len(texts), 100))
    return {"embeddings": torch.cat([sentence_embedder()(some) for some in hundreds]).cpu()}
