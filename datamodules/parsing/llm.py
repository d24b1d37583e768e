"""A parser that is a causal language model (Soulstyler, arXiv 2311.13562, first step).

Soulstyler prompts Llama-2-7B and takes its answer. Small models write badly but judge well, so here
the model judges: it chooses among *spans of the instruction*, by two likelihoods.

1. Reading. After a few examples, log P("Object: <span>\\n" | instruction) of every legal span, and
   the same for the style. Spans are scored with their terminator; those that start at the same word
   share a row, since one is a prefix of the other.
2. Writing (a noisy channel). Reading alone cuts spans short ("sailboat" for "sailboat with three
   blue sails"). So the best pairs are also scored by log P(instruction | object, style): the model
   would have to make up the words that neither of them contains, which is improbable.
3. Grammar. A grammar has many forms and few words, the model many words and few forms. It removes
   small talk ("could you", "keep the rest"), and its own reading is one more candidate, which gains
   `grammar_prior` nats. If the reading of step 1 prefers the same pair, step 2 is skipped.

The pair with the highest reading + `channel_weight` * writing (+ `grammar_prior`) wins. Any
`transformers` causal model with its tokenizer goes through the same code. The examples are encoded
once and stay in a key-value cache.
"""

from __future__ import annotations

from functools import cached_property
from itertools import product
from typing import Any, Protocol

from datamodules.parsing.base import Parser, check_instruction
from datamodules.parsing.clauses import Reading, targets_by_clause
from datamodules.parsing.language_models import EMBEDDED, load_network, weights_needed
from datamodules.parsing.rules import RulesParser
from datamodules.parsing.scoring import Context, Scorer
from datamodules.parsing.small_talk import without_small_talk
from datamodules.parsing.spans import NO_OBJECT, NO_SPAN, legal_spans, overlap
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget

Pair = tuple[str, str]  # object and style, "" for what is not named

NOTHING: Pair = ("", "")
MISSING = "none"  # the model's word for a field that the instruction does not name
TASK = "Split each instruction into the object to change and the style it should get."
TASK_OF_WRITING = "Write an instruction from the object and the style."

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
    ("Make the shed cobalt", "shed", "cobalt"),
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


def _fields(instruction: str, object: str, style: str) -> dict[str, str]:
    """The lines of one example, by the name of its first field."""
    i, o, s = f"Instruction: {instruction}\n", f"Object: {object}\n", f"Style: {style}\n"
    return {"Object": i + o + s, "Style": i + s + o, "Instruction": o + s + i}


def _examples(task: str, *first: str) -> str:
    """The few-shot prompt; the order of an example's fields alternates over `first`."""
    examples = [
        _fields(text, object or MISSING, style or MISSING)[first[k % len(first)]]
        for k, (text, object, style) in enumerate(EXAMPLES)
    ]
    return "\n".join([task + "\n", *examples, ""])


class Grammar(Protocol):
    """A reader of clauses that knows forms of sentences, such as `RulesParser`."""

    def reading(self, text: str) -> Reading:
        """The reading of a clause, an empty one if no form fits."""


class LLMParser(Parser):
    """Splits an instruction by the likelihoods of a causal language model; deterministic.

    model:          "smollm2", the embedded SmolLM2-135M-Instruct; or any causal model: a hub
                    repository ("meta-llama/Llama-2-7b-chat-hf", the paper's), a folder or a GGUF
                    file. Its chat template, if it has one, frames the examples; the embedded models
                    read them as plain text, as they were measured.
    candidates:     pairs of object and style that survive the reading and are scored by the
                    writing, >= 1; more are slower.
    channel_weight: weight of the writing's log-likelihood relative to the reading's, >= 0. This and
                    the other numbers were tuned on benchmarks/instructions_dev and _hard.jsonl,
                    grammar_prior on _fresh.jsonl as well.
    word_bonus:     bonus in nats per word when the candidates are pre-selected, >= 0, so that long
                    spans survive to the writing. Not part of the final score.
    grammar_prior:  nats that the grammar's pair gains, >= 0; at 0 the grammar is not used and the
                    model decides alone.
    grammar:        None = `RulesParser`.
    """

    def __init__(
        self,
        model: str = "smollm2",
        candidates: int = 4,
        channel_weight: float = 0.3,
        word_bonus: float = 0.6,
        grammar_prior: float = 4.0,
        grammar: Grammar | None = None,
    ) -> None:
        self.model = model
        self.candidates = candidates
        self.channel_weight = channel_weight
        self.word_bonus = word_bonus
        self.grammar_prior = grammar_prior
        self.grammar = grammar or RulesParser()

    @classmethod
    def weights_needed(cls, model: str, **settings: Any) -> list[str]:
        """Names of the published weights that these arguments need."""
        return weights_needed(model)

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer(load_network(self.model))

    @cached_property
    def _chats(self) -> bool:
        """Whether the model has a chat template that frames the examples."""
        return self.model not in EMBEDDED and bool(self._scorer.network.chat_template)

    @cached_property
    def _frame(self) -> tuple[str, str]:
        """The texts before and after "Instruction: ...": examples, and a chat template's marks."""
        examples = _examples(TASK, "Object", "Style")
        if not self._chats:
            return examples, "\n"
        mark = "INSTRUCTION"
        message = [{"role": "user", "content": examples + mark}]
        framed = self._scorer.network.tokenizer.apply_chat_template(
            message, tokenize=False, add_generation_prompt=True
        )
        before, _, after = framed.rpartition(mark)
        return before, after

    @cached_property
    def _reading_context(self) -> Context:
        before, _ = self._frame
        return self._scorer.begin(before, special=self._chats)

    @cached_property
    def _writing_context(self) -> Context:
        return self._scorer.begin(_examples(TASK_OF_WRITING, "Instruction"))

    def load(self) -> None:
        """Load the model and encode the examples now rather than at the first parse."""
        _ = self._reading_context, self._writing_context

    def parse(self, instruction: str) -> list[StyleTarget]:
        """The likeliest targets, clause by clause if each clause has one of its own.

        Raises AtelierError for blank or long texts, and for one without object and style.
        """
        text = check_instruction(instruction)
        targets = targets_by_clause(text, self.reading)
        if not targets:
            raise AtelierError(
                f"The instruction {text!r} names neither an object nor a style; "
                'write one such as "Turn the boat to Starry Night".'
            )
        return targets

    def reading(self, text: str) -> Reading:
        """The likeliest object and style of a clause by reading, writing and grammar together."""
        request, favourite = text, NOTHING
        if self.grammar_prior:
            form = self.grammar.reading(text)
            request = without_small_talk(text) or text
            if form.style or form.sure:  # a loose form without a style fits any text
                favourite = form.object, form.style
        return Reading(*self._likeliest(request, favourite), phrase=text)

    def _likeliest(self, text: str, favourite: Pair) -> Pair:
        """The likeliest pair; favourite: the grammar's, NOTHING if it has none."""
        scores = self._score_by_reading(text, favourite)
        candidates = [*scores][: self.candidates]
        if not candidates or candidates[0] == favourite:
            return favourite if candidates else NOTHING
        if favourite in scores and favourite not in candidates:
            candidates.append(favourite)
        written = self._score_by_writing(text, candidates)
        totals = [
            scores[pair] + self.channel_weight * w + self.grammar_prior * (pair == favourite)
            for pair, w in zip(candidates, written, strict=True)
        ]
        return candidates[totals.index(max(totals))]

    def _score_by_writing(self, text: str, pairs: list[Pair]) -> list[float]:
        """log P(instruction | object, style) of each pair, in nats."""
        prompts = [f"Object: {o or MISSING}\nStyle: {s or MISSING}\nInstruction:" for o, s in pairs]
        return self._scorer.score_text(" " + text, self._writing_context, prompts)

    def _score_by_reading(self, text: str, favourite: Pair) -> dict[Pair, float]:
        """log P(object, style | instruction), in nats, of all legal pairs, best candidates first.

        The two spans do not overlap, at least one is not empty, and the object is neither the whole
        picture nor a part of the sentence. favourite: a pair that is scored even if its spans seem
        unlikely.
        """
        spans = [(text[a:b], (a, b)) for a, b in legal_spans(text)]
        query = self._scorer.read(f"Instruction: {text}{self._frame[1]}", self._reading_context)
        by_field = self._scorer.score_lines(
            query,
            heads=("Object:", "Style:"),
            texts=[MISSING, *dict(spans)],
            always=[(MISSING, name) for name in favourite],
        )
        rated = [
            [(scores[MISSING], "", NO_SPAN)]
            + [(scores[name], name, span) for name, span in spans if name in scores]
            for scores in by_field
        ]
        pairs = {
            (object, style): p + q
            for (p, object, a), (q, style, b) in product(*rated)
            if (object or style) and not overlap(a, b) and not NO_OBJECT.search(object)
        }

        def promise(pair: Pair) -> float:
            return pairs[pair] + self.word_bonus * len(" ".join(pair).split())

        return {pair: pairs[pair] for pair in sorted(pairs, key=promise, reverse=True)}
