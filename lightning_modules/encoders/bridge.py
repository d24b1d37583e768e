"""The bridge encoder: a stand-in for CLIP out of two embedded networks, without training.

A picture is a mixture of ImageNet class names, weighted by a classifier; a text is its sentence
embedding. The sentence embeddings of the class names bridge the two (after ConSE, Norouzi 2014, and
DeViSE, Frome 2013). No style outside the span of these 1000 names can be told apart: the papers'
numbers need CLIP's weights.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.models import embedded_networks
from lightning_modules.encoders.base import JointEncoder, is_foreign, pieces


class BridgeEncoder(JointEncoder):
    """E_I(x) = unit((z - mean z) (T - m)) with logits z of an EfficientNet-Lite;
    E_T(t) = unit(MiniLM(t) - m).

    T: sentence embeddings of "a photo of a {class name}", m: their mean. Without m, the part common
    to all sentences outweighs their meaning: a cat would be nearer to "a castle" than to "a cat".

    Args:
        image_size: side in pixels of the classifier's input, a multiple of 32. 128 costs a third of
            224 and works as well.
        tower: classifier, EfficientNet-Lite0 or -Lite2: one for optimising, one for judging.
    """

    def __init__(self, image_size: int = 128, tower: Literal["lite0", "lite2"] = "lite0") -> None:
        super().__init__(embedded_networks.IMAGENET_MEAN, embedded_networks.IMAGENET_STD)
        self.image_size = image_size
        self.identity = f"bridge-{tower}"
        self.classifier = embedded_networks.efficientnet(tower)
        self.sentences = embedded_networks.sentence_embedder()
        names = embedded_networks.imagenet_class_embeddings()
        self.register_buffer("text_mean", names.mean(0), persistent=False)
        self.register_buffer("names", names - self.text_mean, persistent=False)

    def embed_images(self, images: Tensor) -> Tensor:
        logits = self.classifier(embedded_networks.imagenet_input(images))
        return F.normalize((logits - logits.mean(-1, keepdim=True)) @ self.names, dim=-1)

    def unread(self, text: str) -> list[str]:
        tokenizer = self.sentences.tokenizer
        unknown = [p for p in pieces(text) if tokenizer.unk_token in tokenizer.tokenize(p)]
        return [p for p in pieces(text) if p in unknown or is_foreign(p)]

    def text_tokens(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        return self.sentences.tokens(texts)

    @torch.no_grad()
    def text_features(self, texts: list[str]) -> Tensor:
        return self.sentences(texts) - self.text_mean
