"""Sentence encoder of EdgeCLIPstyler: texts alone, without pictures."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datamodules.models.pretrained import hub_names, load_pretrained

INSTEAD = "FastCLIPstyler's network reads CLIP's embeddings, and --models embedded needs none"


class SentenceEncoder(nn.Module):
    """Unit vectors of texts: the mean over the tokens of an ALBERT (Reimers and Gurevych 2019).

    Args:
        model: repository of the hub, or path of a folder with configuration, weights and tokenizer.
    """

    def __init__(self, model: str = "sentence-transformers/paraphrase-albert-small-v2") -> None:
        super().__init__()
        from transformers import AlbertModel, AutoTokenizer

        what = "sentence encoder (ALBERT)"
        self.network, self.tokenizer = load_pretrained(
            model, AlbertModel, AutoTokenizer, what, INSTEAD
        )

    @classmethod
    def weights_needed(cls, model: str) -> list[str]:
        """Names of the published weights that these arguments need."""
        return hub_names(model)

    @torch.no_grad()
    def embed_texts(self, texts: list[str]) -> Tensor:
        """Unit vectors (T, D) of T texts."""
        tokens = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        tokens = tokens.to(self.network.device)
        states = self.network(**tokens).last_hidden_state
        mask = tokens["attention_mask"].unsqueeze(-1)
        return F.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)
