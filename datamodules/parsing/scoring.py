"""Log-likelihoods of many short texts after one long one, under any causal language model.

The long text is encoded once; all short texts share its key-value cache.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import Cache, PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Context:
    """An encoded text: its key-value cache and the logits (V,) of the next token."""

    cache: Any  # each network has a type of its own
    logits: Tensor


class Network(Protocol):
    """A causal language model with its tokenizer."""

    chat_template: str | None

    def encode(self, text: str, special: bool = False) -> list[int]:
        """The text's tokens. special: with the tokens that mark the beginning of a text."""

    def begin(self, ids: list[int]) -> Context:
        """The context of a first text, which may be long, and the same in every process."""

    def read(self, ids: list[int], after: Context) -> Context:
        """The context after further tokens; the earlier context remains usable."""

    def rows(self, rows: list[list[int]], after: Context) -> list[Tensor]:
        """Logits (L, V) at each token of each row of length L, all after the same context."""


class Causal:
    """A model of `transformers`.

    batch: rows that go through the model at once, >= 1; limits the memory, not the result.
    """

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, batch: int = 16
    ) -> None:
        self.model, self.tokenizer, self.batch = model, tokenizer, batch
        self.chat_template = tokenizer.chat_template

    def encode(self, text: str, special: bool = False) -> list[int]:
        return self.tokenizer(text, add_special_tokens=special)["input_ids"]

    def begin(self, ids: list[int]) -> Context:
        return self._read(ids, None)

    def read(self, ids: list[int], after: Context) -> Context:
        return self._read(ids, copy.deepcopy(after.cache))

    def _read(self, ids: list[int], cache: Cache | None) -> Context:
        import torch

        with torch.inference_mode():
            out = self.model(
                input_ids=torch.tensor([ids], device=self.model.device),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
        return Context(out.past_key_values, out.logits[0, -1].float())

    def rows(self, rows: list[list[int]], after: Context) -> list[Tensor]:
        parts = range(0, len(rows), self.batch)
        return [logits for k in parts for logits in self._batch(rows[k : k + self.batch], after)]

    def _batch(self, rows: list[list[int]], after: Context) -> list[Tensor]:
        import torch

        longest = max(map(len, rows))
        padded = [row + [row[-1]] * (longest - len(row)) for row in rows]
        cache = copy.deepcopy(after.cache)
        cache.batch_repeat_interleave(len(rows))
        with torch.inference_mode():
            logits = self.model(
                input_ids=torch.tensor(padded, device=self.model.device),
                past_key_values=cache,
                use_cache=True,
            ).logits.float()
        return [logits[k, : len(row)] for k, row in enumerate(rows)]


class Scorer:
    """Log-likelihoods under a network."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.newline = self.tokens("\n")[-1]

    def tokens(self, text: str) -> list[int]:
        """Tokens of a text that follows other text, unlike a beginning for some tokenizers."""
        return self.network.encode(":" + text)[len(self.network.encode(":")) :]

    def begin(self, text: str, special: bool = False) -> Context:
        """The context of a first text.

        special: whether the text itself contains the tokens that mark its beginning, as the output
                 of a chat template does.
        """
        return self.network.begin(self.network.encode(text, special=not special))

    def read(self, text: str, after: Context) -> Context:
        """The context after another text; the earlier context remains usable."""
        return self.network.read(self.tokens(text), after)

    def score_text(self, text: str, after: Context, prompts: Sequence[str]) -> list[float]:
        """log P(text | context, prompt) for each prompt, in nats."""
        ids = self.tokens(text)
        heads = [self.tokens(prompt) for prompt in prompts]
        logits = self.network.rows([head + ids for head in heads], after)
        return [
            _log_probabilities(rates[len(head) - 1 : -1].log_softmax(-1), ids).sum().item()
            for head, rates in zip(heads, logits, strict=True)
        ]

    def score_lines(
        self, after: Context, heads: Sequence[str], texts: Sequence[Sequence[str]]
    ) -> list[dict[str, float]]:
        """log P(" text\\n" | context, head), in nats, of each of a head's own texts.

        Texts that begin alike share a row.
        """
        paths = [{text: tuple(self.tokens(" " + text)) for text in own} for own in texts]
        stems = [self.tokens(head) for head in heads]
        rows = [(k, row) for k, own in enumerate(paths) for row in _longest(own.values())]
        logits = self.network.rows([stems[k] + list(row) for k, row in rows], after)
        scores: list[dict[tuple[int, ...], float]] = [{} for _ in heads]
        for (k, row), following in zip(rows, logits, strict=True):
            rates = following[len(stems[k]) - 1 :].log_softmax(-1)
            ends = _log_probabilities(rates, row).cumsum(0) + rates[1:, self.newline]
            scores[k] |= {row[: n + 1]: end for n, end in enumerate(ends.tolist())}
        return [
            {text: by_path[path] for text, path in own.items()}
            for own, by_path in zip(paths, scores, strict=True)
        ]


def _longest(paths: Iterable[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The token paths that begin no other one."""
    ordered = sorted(set(paths))
    pairs = zip(ordered, [*ordered[1:], ()], strict=True)
    return [path for path, after in pairs if after[: len(path)] != path]


def _log_probabilities(rates: Tensor, ids: Sequence[int]) -> Tensor:
    """Log-probability (L,) of each of L tokens in its place; rates: log-softmax (L or more, V)."""
    import torch

    return rates[: len(ids)].gather(1, torch.tensor(list(ids), device=rates.device)[:, None])[:, 0]
