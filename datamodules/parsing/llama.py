"""Llama's decoder (Touvron et al. 2023), which SmolLM2 shares, for scoring only.

`transformers` has the same network, whose logits agree to 1e-4. But importing it takes longer than
parsing an instruction, and its batches copy the key-value cache for every row. Here all rows lie in
one sequence after one cache: each token attends to the cache and to the earlier tokens of its row.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.models.cache import TensorFile, identity, on_disk
from datamodules.parsing.scoring import Context

Layer = tuple[Tensor, Tensor]  # keys and values (heads, T, width) of T tokens


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding (Su et al. 2021): x (heads, T, width), cos and sin (T, width)."""
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], dim=-1) * sin


class Llama:
    """A Llama with its tokenizer, frozen, in float32.

    folder: `save_pretrained`'s of a `LlamaForCausalLM` with tied embeddings, plain rotary positions
            and no biases, and of its tokenizer.
    device: torch's name of the device that computes, "cpu" or "cuda".
    """

    chat_template = None

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        self.folder, self.device = folder, device
        self.config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = load_file(folder / "model.safetensors", device=device)
        self.weights = {name: tensor.float() for name, tensor in weights.items()}
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        theta, width = self.config["rope_parameters"]["rope_theta"], self.config["head_dim"]
        self.frequencies = theta ** -(torch.arange(0, width, 2, device=device) / width)

    def encode(self, text: str, special: bool = False) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=special).ids

    def begin(self, ids: list[int]) -> Context:
        """As `read`, but stored in the model's folder: the examples are the same every time."""
        parts = self._first_context(ids)
        keys, values, logits = (
            parts[part].to(self.device) for part in ("keys", "values", "logits")
        )
        return Context(list(zip(keys, values, strict=True)), logits)

    def _context_file(self, ids: list[int]) -> Path:
        digest = identity(self.folder.name, self.device, torch.__version__, ids)
        return self.folder / f"context-{digest[:16]}.safetensors"

    @on_disk(TensorFile(), _context_file)
    def _first_context(self, ids: list[int]) -> dict[str, Tensor]:
        context = self.read(ids)
        keys, values = map(torch.stack, zip(*context.cache, strict=True))
        return {"keys": keys, "values": values, "logits": context.logits}

    def read(self, ids: list[int], after: Context | None = None) -> Context:
        logits, cache = self._forward([ids], after, last_only=True)
        return Context(cache, logits[-1])

    def rows(self, rows: list[list[int]], after: Context) -> list[Tensor]:
        logits, _ = self._forward(rows, after)
        return list(logits.split([len(row) for row in rows]))

    @torch.inference_mode()
    def _forward(
        self, rows: list[list[int]], after: Context | None, last_only: bool = False
    ) -> tuple[Tensor, list[Layer]]:
        """Logits (T, V) of the T tokens of all rows, or (1, V) of the last; the cache with them."""
        ids = torch.tensor([token for row in rows for token in row], device=self.device)
        place = torch.tensor([n for row in rows for n in range(len(row))], device=self.device)
        row = torch.tensor([k for k, row in enumerate(rows) for _ in row], device=self.device)
        past = after.cache[0][0].shape[1] if after else 0
        mask = (row[:, None] == row) & (place[:, None] >= place)
        mask = F.pad(mask, (past, 0), value=True)
        angles = torch.outer(past + place, self.frequencies).repeat(1, 2)
        rotation = angles.cos(), angles.sin()
        x = self.weights["model.embed_tokens.weight"][ids]
        cache = []
        for number in range(self.config["num_hidden_layers"]):
            old = after.cache[number] if after else None
            x, layer = self._layer(f"model.layers.{number}", x, old, mask, rotation)
            cache.append(layer)
        x = self._norm(x[-1:] if last_only else x, "model.norm")
        return x @ self.weights["model.embed_tokens.weight"].T, cache

    def _layer(
        self, name: str, x: Tensor, old: Layer | None, mask: Tensor, rotation: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Layer]:
        """Tokens (T, D) after one layer, and its keys and values with the old ones before them.

        mask: (T, cached + T), true where a token attends to another. rotation: cosines and sines
        (T, width).
        """

        def linear(x: Tensor, part: str) -> Tensor:
            return x @ self.weights[f"{name}.{part}_proj.weight"].T

        def heads(part: str) -> Tensor:
            split = linear(h, f"self_attn.{part}").unflatten(1, (-1, self.config["head_dim"]))
            return split.transpose(0, 1)

        h = self._norm(x, f"{name}.input_layernorm")
        query, key, value = (
            _rotate(heads("q"), *rotation),
            _rotate(heads("k"), *rotation),
            heads("v"),
        )
        if old:
            key, value = torch.cat([old[0], key], 1), torch.cat([old[1], value], 1)
        mixed = F.scaled_dot_product_attention(
            query[None], key[None], value[None], attn_mask=mask, enable_gqa=True
        )
        x = x + linear(mixed[0].transpose(0, 1).flatten(1), "self_attn.o")
        h = self._norm(x, f"{name}.post_attention_layernorm")
        x = x + linear(F.silu(linear(h, "mlp.gate")) * linear(h, "mlp.up"), "mlp.down")
        return x, (key, value)

    def _norm(self, x: Tensor, name: str) -> Tensor:
        weight = self.weights[f"{name}.weight"]
        return F.rms_norm(x, weight.shape, weight, self.config["rms_norm_eps"])
