"""Names of published weights, and what each kind of name means: where the files lie and come from.

  open_clip:ViT-B-32-quickgelu/openai     a model and a tag of open_clip
  torchvision:vgg19                       torchvision's default weights of a model
  timm:vit_small_patch16_224.dino         a model of timm with its tag
  hf:CIDAS/clipseg-rd64-refined           a repository of the Hugging Face hub
  tokenizer:timm/ViT-B-16-SigLIP          a repository's tokenizer alone
  file:chaofengc/IQA-PyTorch-Weights/FILE one file of a repository
  piq:v0.4.0/brisque_svm_weights.pt       a file of one of piq's releases
  cris                                    a file that only a person can download

A model has the name that its library gives it, and its files lie in that library's own cache
(HF_HOME, TORCH_HOME). HF_ENDPOINT and ATELIER_TORCHVISION_URL name servers that mirror the hub and
https://download.pytorch.org.
"""

from __future__ import annotations

from pathlib import Path

from datamodules.models.hand_weights import PAGES, HandWeights
from datamodules.models.hub_weights import (
    HubFile,
    HubRepository,
    HubTokenizer,
    OpenClipWeights,
    TimmWeights,
)
from datamodules.models.piq_weights import PiqWeights
from datamodules.models.torchvision_weights import TorchvisionWeights
from datamodules.models.weights import Weights
from datamodules.support.errors import AtelierError

SCHEMES = {
    kind.scheme: kind
    for kind in (
        OpenClipWeights,
        TorchvisionWeights,
        PiqWeights,
        TimmWeights,
        HubRepository,
        HubTokenizer,
        HubFile,
    )
}


def by_name(name: str) -> Weights | HandWeights:
    """The weights of a name; AtelierError if there are none."""
    if name in PAGES:
        return HandWeights(name)
    scheme, _, key = name.partition(":")
    if scheme not in SCHEMES or not key:
        raise AtelierError(
            f"{name!r} is not the name of any weights; write a file's path or one of "
            f"{', '.join([*(f'{scheme}:NAME' for scheme in SCHEMES), *PAGES])}"
        )
    return SCHEMES[scheme](key)


def is_path(source: str) -> bool:
    """Whether a source of weights is a file or folder on this machine, not a name."""
    return source not in PAGES and Path(source).exists()
