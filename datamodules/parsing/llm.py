"""A causal language model splits the instruction into object and style (Soulstyler's first step).

Soulstyler prompts Llama-2-7B and takes what it writes. Small models write badly but judge well, so
here the model judges: it may only choose among *spans of the instruction*, by two likelihoods.

1. Reading. After a few examples, log P("Object: <span>\\n" | instruction) for every legal span, and
   the same for the style. Spans are scored with their terminator, all in one batch: two spans that
   start at the same word share a row, since one is a prefix of the other.
2. Writing (a noisy channel). Reading alone cuts spans short ("sailboat" for "sailboat with three
   blue sails"). So the best pairs are also scored by log P(instruction | object, style): words
   that neither names must be made up by the model, and that is costly.

The pair with the highest reading + `channel_weight` * writing wins. Any `transformers` causal model
with its tokenizer goes through the same code. The examples are encoded once and kept as a
key-value cache.
"""

from __future__ import annotations

import copy
import math
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

from datamodules.errors import AtelierError
from datamodules.parsing.base import Parser, checked
from datamodules.parsing.clauses import REST, take_blend, targets_by_clause
from datamodules.parsing.language_models import EMBEDDED, load_language_model
from datamodules.task import BACKGROUND, StyleTarget

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import Cache, PreTrainedModel, PreTrainedTokenizerBase

MISSING = "none"  # what the model says for a field that the instruction does not name

# (instruction, object, style); "" where the instruction names none.
EXAMPLES = (
    (
        "Turn the brown dog with a long tail lying on the grass into Water Lilies by Claude Monet",
        "brown dog with a long tail lying on the grass",
        "Water Lilies by Claude Monet",
    ),
    (
        "In the style of Paul Gauguin, paint the fisherman at the pier",
        "fisherman at the pier",
        "Paul Gauguin",
    ),
    ("Restyle the old windmill", "old windmill", ""),
    (
        "Give the boy's jacket a tattoo look and leave the background",
        "boy's jacket",
        "tattoo",
    ),
    ("Make the picture look like a tapestry", "", "tapestry"),
    ("Could you make the rose a photo of thick smoke?", "rose", "photo of thick smoke"),
    ("object: the kettle, style: silver", "kettle", "silver"),
    (
        "Apply Matisse's style to the chair next to the window",
        "chair next to the window",
        "Matisse",
    ),
    ("Change the wall behind the sofa, but nothing else", "wall behind the sofa", ""),
    (
        "Without changing the rest, render the temple as a surrealism style painting",
        "temple",
        "surrealism style painting",
    ),
    ("Use the style of Paul Klee", "", "Paul Klee"),
    (
        "With an oil painting of leaves, redraw the queen of the island",
        "queen of the island",
        "oil painting of leaves",
    ),
    ("frog -> Guernica by Pablo Picasso", "frog", "Guernica by Pablo Picasso"),
    (
        "I want the eyes of the young girl to look like they are made of blue glass",
        "eyes of the young girl",
        "blue glass",
    ),
    ("The bear should become a gouache drawing, keep the forest", "bear", "gouache drawing"),
    ("Do something nice with the candle", "candle", ""),
)

# What a legal span is: linguistics, not a decision. A possessive 's is a word of its own, so that
# "in Monet's style" contains the span "Monet".
WORD = re.compile(r"['\u2019]s\b|\w+(?:[-.'\u2019](?!s\b)\w+)*")
DETERMINER = re.compile("a|an|the|this|that|my|your|his|her|its|our|their|everything|something|it")
CARRIERS = (  # words that carry a name and never begin or end it
    "a|an|the|and|or|but|in|into|to|onto|on|over|at|as|like|of|with|by|for|from|so|that|is|be|its|"
    "this|my|your|his|her|their|i|you|only|just|please|styles?|looks?|manner|appearance|'s"
)
NEVER_FIRST = re.compile(f"{CARRIERS}|it|made|me")
NEVER_LAST = re.compile(CARRIERS)
NEVER_INSIDE = re.compile(  # clause ends and carrier phrases
    r"[;:!?()\"“”]|[-=]+>|→|(?<!\b\w)(?<!\b\w\w)\.\s"  # a full stop, but not "M. " or "St. "
    r"|,\s*(?:and|but|keep|leave|so|please)\b|\b(?:but|without|please)\b"
    r"|\b(?:style|look|manner|appearance) of\b",
    re.IGNORECASE,
)
WHOLE_PICTURE = re.compile(  # as an object this means: no object in particular
    r"(?:(?:whole|entire|full) )?"
    r"(?:all|background|everything|image|photo|photograph|picture|rest|scene|thing)",
    re.IGNORECASE,
)

Span = tuple[int, int]  # start and end in the instruction, in characters
NO_SPAN: Span = (0, 0)


def legal_spans(instruction: str, max_words: int = 16) -> list[Span]:
    """All runs of up to `max_words` whole words that can name an object or a style."""
    words = [match.span() for match in WORD.finditer(instruction)]
    texts = [instruction[a:b].lower().replace("\u2019", "'") for a, b in words]
    spans = []
    for first, (start, _) in enumerate(words):
        if NEVER_FIRST.fullmatch(texts[first]):
            continue
        for last in range(first, min(first + max_words, len(words))):
            end = words[last][1]
            # No name has a determiner as its second word; a verb and its object have: "redo the".
            if NEVER_INSIDE.search(instruction, start, end) or (
                last == first + 1 and DETERMINER.fullmatch(texts[last])
            ):
                break
            if not NEVER_LAST.fullmatch(texts[last]):
                spans.append((start, end))
    return spans


def _overlap(a: Span, b: Span) -> bool:
    return a[0] < b[1] and b[0] < a[1]


@dataclass(frozen=True)
class _Context:
    """Text that the model has read: its key-value cache and the logits (V,) of the next token."""

    cache: Cache
    logits: Tensor


class _Scorer:
    """Log-likelihoods of continuations under any causal language model.

    beam:  rows whose first token is likeliest and that are followed to their end, so that a long
           instruction costs little more than a short one.
    batch: rows that go through the model at once; bounds the memory, not the result.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        beam: int = 10,
        batch: int = 16,
    ) -> None:
        self.model, self.tokenizer, self.beam, self.batch = model, tokenizer, beam, batch
        self.newline = self.tokens("\n")[-1]

    def tokens(self, text: str) -> list[int]:
        """Tokens of a text that follows other text (some tokenizers treat a beginning apart)."""
        anchor = self.tokenizer(":", add_special_tokens=False)["input_ids"]
        return self.tokenizer(":" + text, add_special_tokens=False)["input_ids"][len(anchor) :]

    def read(self, text: str, after: _Context | None = None, special: bool = False) -> _Context:
        """The context after one more text; the earlier context stays usable.

        special: the text has the special tokens of a beginning already, as a chat template has.
        """
        import torch

        ids = self.tokens(text) if after else self._beginning(text, special)
        with torch.inference_mode():
            out = self.model(
                input_ids=torch.tensor([ids], device=self.model.device),
                past_key_values=copy.deepcopy(after.cache) if after else None,
                use_cache=True,
                logits_to_keep=1,
            )
        return _Context(out.past_key_values, out.logits[0, -1].float())

    def _beginning(self, text: str, special: bool) -> list[int]:
        return self.tokenizer(text, add_special_tokens=not special)["input_ids"]

    def log_probs(self, context: _Context, rows: list[list[int]]) -> tuple[Tensor, Tensor]:
        """Of each row after the context: its tokens', and a newline's in each token's place.

        Two tensors, (N, L) and (N, L + 1), L the longest row; what lies beyond a row's end is
        meaningless.
        """
        import torch

        parts = [
            self._log_probs(context, rows[k : k + self.batch], max(map(len, rows)))
            for k in range(0, len(rows), self.batch)
        ]
        token, newline = zip(*parts, strict=True)
        return torch.cat(token), torch.cat(newline)

    def _log_probs(
        self, context: _Context, rows: list[list[int]], length: int
    ) -> tuple[Tensor, Tensor]:
        import torch

        padded = [row + [self.newline] * (length - len(row)) for row in rows]
        ids = torch.tensor(padded, device=self.model.device)
        cache = copy.deepcopy(context.cache)
        cache.batch_repeat_interleave(len(rows))
        with torch.inference_mode():
            logits = self.model(input_ids=ids, past_key_values=cache, use_cache=True).logits
            logits = torch.cat([context.logits.expand(len(rows), 1, -1), logits.float()], dim=1)
            norm = logits.logsumexp(-1)
            token = logits[:, :-1].gather(2, ids.unsqueeze(2)).squeeze(2) - norm[:, :-1]
        return token, logits[..., self.newline] - norm

    def lines(self, context: _Context, texts: list[str]) -> list[float]:
        """log P(" text\\n" | context) of each text, in nats; -inf off the beam.

        Texts that begin alike share a row, so the spans of n words cost n rows, not n * n.
        """
        paths = [self.tokens(" " + text) for text in texts]
        ordered = sorted(map(tuple, paths))
        rows = [
            list(path)
            for path, after in zip(ordered, [*ordered[1:], ()], strict=True)
            if after[: len(path)] != path
        ]
        rows = sorted(rows, key=lambda row: -context.logits[row[0]].item())[: self.beam]
        token, newline = self.log_probs(context, rows)
        scores = {}
        for row, t, end in zip(rows, token.cumsum(1).tolist(), newline.tolist(), strict=True):
            for n in range(1, len(row) + 1):
                scores[tuple(row[:n])] = t[n - 1] + end[n]
        return [scores.get(tuple(path), -math.inf) for path in paths]


def _fields(instruction: str, object: str, style: str) -> dict[str, str]:
    """The lines of one example, by the name of its first field."""
    i, o, s = f"Instruction: {instruction}\n", f"Object: {object}\n", f"Style: {style}\n"
    return {"Object": i + o + s, "Style": i + s + o, "Instruction": o + s + i}


def _examples(task: str, *first: str) -> str:
    """The few-shot prompt; the order of an example's fields alternates over `first`."""
    shown = [
        _fields(text, object or MISSING, style or MISSING)[first[k % len(first)]]
        for k, (text, object, style) in enumerate(EXAMPLES)
    ]
    return "\n".join([task + "\n", *shown, ""])


class LLMParser(Parser):
    """Splits an instruction by the likelihoods of a causal language model; deterministic.

    model:          "smollm2", the embedded SmolLM2-135M-Instruct; or any causal model: a hub
                    repository ("meta-llama/Llama-2-7b-chat-hf", the paper's), a folder or a GGUF
                    file. Its chat template, if it has one, frames the examples; the embedded model
                    reads them plain, as measured.
    candidates:     pairs of object and style that survive the reading and are scored by the
                    writing, >= 1; more are slower.
    channel_weight: weight of the writing's log-likelihood beside the reading's, >= 0. Chosen on
                    benchmarks/instructions_dev.jsonl, as are the other numbers.
    word_bonus:     nats a word of a span counts when the candidates are chosen, >= 0: makes sure
                    that long spans reach the writing, and has no say in the end.
    """

    def __init__(
        self,
        model: str = "smollm2",
        candidates: int = 6,
        channel_weight: float = 0.3,
        word_bonus: float = 0.6,
    ) -> None:
        self.model = model
        self.candidates = candidates
        self.channel_weight = channel_weight
        self.word_bonus = word_bonus

    @cached_property
    def _scorer(self) -> _Scorer:
        return _Scorer(*load_language_model(self.model))

    @cached_property
    def _reading(self) -> _Context:
        before, _ = self._frame
        return self._scorer.read(before, special=self._chats)

    @cached_property
    def _chats(self) -> bool:
        return self.model not in EMBEDDED and bool(self._scorer.tokenizer.chat_template)

    @cached_property
    def _frame(self) -> tuple[str, str]:
        """What goes before "Instruction: ..." and what after it: examples, and a chat's marks."""
        task = "Split each instruction into the object to change and the style it should get."
        examples = _examples(task, "Object", "Style")
        if not self._chats:
            return examples, "\n"
        mark = "INSTRUCTION"
        message = [{"role": "user", "content": examples + mark}]
        framed = self._scorer.tokenizer.apply_chat_template(
            message, tokenize=False, add_generation_prompt=True
        )
        before, _, after = framed.rpartition(mark)
        return before, after

    @cached_property
    def _writing(self) -> _Context:
        task = "Write an instruction from the object and the style."
        return self._scorer.read(_examples(task, "Instruction"))

    def load(self) -> None:
        """Load the model and encode the examples now rather than at the first parse."""
        _ = self._reading, self._writing

    def parse(self, instruction: str) -> list[StyleTarget]:
        """The targets that the model finds most likely, one a clause that has one of its own.

        Raises AtelierError for blank or long texts.
        """
        text = checked(instruction)
        targets = targets_by_clause(text, self._split)
        if not targets:
            raise AtelierError(
                f"The instruction {text!r} names neither an object nor a style; "
                'write one such as "Turn the boat to Starry Night".'
            )
        return targets

    def _split(self, clause: str, several: bool) -> tuple[str, str]:
        """The likeliest object and style in the clause, "" for what it does not name.

        several: beside other clauses, in which "the rest" is an object too: BACKGROUND.
        """
        text, blend = take_blend(clause)
        pairs = self._read_pairs(text)
        if not pairs:
            return "", ""
        written = self._write(text, [pair for _, pair in pairs])
        totals = [r + self.channel_weight * w for (r, _), w in zip(pairs, written, strict=True)]
        name, style = pairs[totals.index(max(totals))][1]
        if several and REST.search(text):
            name = BACKGROUND
        return name, blend or style

    def _read_pairs(self, text: str) -> list[tuple[float, tuple[str, str]]]:
        """The best (log-likelihood, (object, style)) pairs given the instruction.

        The two spans do not overlap, at least one is not empty, and the object is not the whole
        picture.
        """
        spans = legal_spans(text)
        names = [text[a:b] for a, b in spans]
        query = self._scorer.read(f"Instruction: {text}{self._frame[1]}", self._reading)
        scored = []
        for field in ("Object:", "Style:"):
            field_context = self._scorer.read(field, query)
            scores = self._scorer.lines(field_context, [*names, MISSING])
            rated = zip(scores, [*spans, NO_SPAN], [*names, ""], strict=True)
            scored.append([entry for entry in rated if entry[0] > -math.inf])
        pairs = [
            (p + q, (object, style))
            for (p, a, object), (q, b, style) in product(*scored)
            if (object or style) and not _overlap(a, b) and not WHOLE_PICTURE.fullmatch(object)
        ]
        bonus = self.word_bonus
        pairs.sort(key=lambda pair: pair[0] + bonus * len(" ".join(pair[1]).split()), reverse=True)
        return pairs[: self.candidates]

    def _write(self, text: str, pairs: list[tuple[str, str]]) -> list[float]:
        """log P(instruction | object, style) of each pair, in nats."""
        scorer = self._scorer
        said = scorer.tokens(" " + text)
        given = [
            scorer.tokens(f"Object: {object or MISSING}\nStyle: {style or MISSING}\nInstruction:")
            for object, style in pairs
        ]
        token, _ = scorer.log_probs(self._writing, [names + said for names in given])
        return [
            row[len(names) : len(names) + len(said)].sum().item()
            for row, names in zip(token, given, strict=True)
        ]
