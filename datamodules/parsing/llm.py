"""A parser that is a causal language model (Soulstyler, arXiv 2311.13562, first step).

Soulstyler prompts Llama-2-7B and takes its answer. Small models write badly but judge well, so here
the model judges: the syntax tree proposes readings (`targets`), and the model chooses among them by
two likelihoods and the grammar's weight.

1. Reading. After a few examples, log P("Object: <name>\\n" | instruction), and the same for the
   style. Names are scored with their terminator; those that begin alike share a row.
2. Writing (a noisy channel). Reading alone cuts names short ("sailboat" for "sailboat with three
   blue sails"). So the best readings are also scored by log P(instruction | object, style): the
   model would have to make up the words that neither of them contains, which is improbable. This
   step is skipped if the reading that the grammar prefers is also the likeliest by step 1.

The reading with the highest reading + `channel_weight` * writing + `grammar_weight` * grammar wins.
Any `transformers` causal model with its tokenizer goes through the same code. The examples are
encoded once and stay in a key-value cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from datamodules.parsing.base import Parser, check_instruction
from datamodules.parsing.forms import Reading
from datamodules.parsing.language_models import EMBEDDED, load_network, weights_needed
from datamodules.parsing.scoring import Context, Scorer
from datamodules.parsing.syntax import pipeline
from datamodules.parsing.targets import read_targets
from datamodules.task import StyleTarget

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


class LLMParser(Parser):
    """Splits an instruction by syntax and the likelihoods of a language model; deterministic.

    model:          "smollm2", the embedded SmolLM2-135M-Instruct; or any causal model: a hub
                    repository ("meta-llama/Llama-2-7b-chat-hf", the paper's), a folder or a GGUF
                    file. Its chat template, if it has one, frames the examples; the embedded models
                    read them as plain text, as they were measured.
    readings:       readings of a clause that the model compares, >= 1: those of the greatest
                    weights, and none whose weight is over `margin` nats below the greatest.
    candidates:     readings that are also scored by the writing, >= 1; more are slower.
    channel_weight: weight of the writing's log-likelihood relative to the reading's, >= 0.
    word_bonus:     bonus in nats per word when the candidates are pre-selected, >= 0, so that long
                    names survive to the writing. Not part of the final score.
    grammar_weight: weight of the grammar's nats, >= 0; at 0 the model judges its readings alone.
    margin:         in nats, >= 0. This and the other numbers were chosen on the sets that
                    docs/parsers.md lists for it.
    """

    def __init__(
        self,
        model: str = "smollm2",
        readings: int = 8,
        candidates: int = 4,
        channel_weight: float = 0.3,
        word_bonus: float = 0.6,
        grammar_weight: float = 1.0,
        margin: float = 4.0,
    ) -> None:
        self.model = model
        self.readings = readings
        self.candidates = candidates
        self.channel_weight = channel_weight
        self.word_bonus = word_bonus
        self.grammar_weight = grammar_weight
        self.margin = margin

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
        """Load pipeline and model and encode the examples now rather than at the first parse."""
        pipeline()
        _ = self._reading_context, self._writing_context

    def parse(self, instruction: str) -> list[StyleTarget]:
        """The targets whose readings are likeliest.

        Raises AtelierError for blank or long texts, for other languages, and for what cannot be
        read for sure.
        """
        return read_targets(check_instruction(instruction), self._choose)

    def _choose(self, text: str, proposals: Sequence[Reading]) -> Reading:
        """The best of a clause's readings by reading, writing and grammar together."""
        first = proposals[0]
        near = [r for r in proposals if r.weight >= first.weight - self.margin][: self.readings]
        if len(near) == 1:
            return first
        scores = dict(zip(near, self._score_by_reading(text, near), strict=True))

        def promise(reading: Reading) -> float:
            return scores[reading] + self.word_bonus * len(
                f"{reading.object} {reading.style}".split()
            )

        ordered = sorted(near, key=promise, reverse=True)
        if ordered[0] == first:
            return first
        few = list(dict.fromkeys([*ordered[: self.candidates], first]))
        written = self._score_by_writing(text, few)
        totals = [scores[r] + self.channel_weight * w for r, w in zip(few, written, strict=True)]
        return few[totals.index(max(totals))]

    def _score_by_reading(self, text: str, few: Sequence[Reading]) -> list[float]:
        """log P(object, style | instruction) plus the grammar's weight of each reading, in nats."""
        query = self._scorer.read(f"Instruction: {text}{self._frame[1]}", self._reading_context)
        objects = [r.object or MISSING for r in few]
        styles = [r.style or MISSING for r in few]
        by_object, by_style = self._scorer.score_lines(
            query, heads=("Object:", "Style:"), texts=[objects, styles]
        )
        return [
            by_object[o] + by_style[s] + self.grammar_weight * r.weight
            for o, s, r in zip(objects, styles, few, strict=True)
        ]

    def _score_by_writing(self, text: str, few: Sequence[Reading]) -> list[float]:
        """log P(instruction | object, style) of each reading, in nats."""
        prompts = [
            f"Object: {r.object or MISSING}\nStyle: {r.style or MISSING}\nInstruction:" for r in few
        ]
        return self._scorer.score_text(" " + text, self._writing_context, prompts)
