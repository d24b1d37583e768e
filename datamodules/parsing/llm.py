"""A causal language model splits the instruction into object and style (Soulstyler's first step).

Soulstyler prompts Llama-2-7B and takes what it writes. Small models write badly but judge well, so
here the model judges: it may only choose among *spans of the instruction*, by two likelihoods.

1. Reading. After a few examples, log P("Object: <span>\\n" | instruction) for every legal span, and
   the same for the style. Spans are scored with their terminator; those that start at the same word
   share a row, since one is a prefix of the other.
2. Writing (a noisy channel). Reading alone cuts spans short ("sailboat" for "sailboat with three
   blue sails"). So the best pairs are also scored by log P(instruction | object, style): words
   that neither names must be made up by the model, and that is costly.
3. The grammar of `RulesParser` knows forms and few words, the model words and few forms. It cuts
   off what only surrounds the wish ("could you", "keep the rest"), and what it reads is one more
   candidate, which gains `grammar_prior` nats. Where the reading finds the same pair best, nothing
   is written.

The pair with the highest reading + `channel_weight` * writing (+ `grammar_prior`) wins. Any
`transformers` causal model with its tokenizer goes through the same code. The examples are encoded
once and kept as a key-value cache.
"""

from __future__ import annotations

from functools import cached_property
from itertools import product

from datamodules.parsing.base import Parser, checked
from datamodules.parsing.clauses import REST, take_blend, targets_by_clause
from datamodules.parsing.language_models import EMBEDDED, load_network, weights_needed
from datamodules.parsing.rules import RulesParser
from datamodules.parsing.scoring import Context, Scorer
from datamodules.parsing.spans import NO_OBJECT, NO_SPAN, legal_spans, overlap
from datamodules.parsing.wish import wish_of
from datamodules.support.errors import AtelierError
from datamodules.task import BACKGROUND, StyleTarget

NOTHING = ("", "")
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
    shown = [
        _fields(text, object or MISSING, style or MISSING)[first[k % len(first)]]
        for k, (text, object, style) in enumerate(EXAMPLES)
    ]
    return "\n".join([task + "\n", *shown, ""])


class LLMParser(Parser):
    """Splits an instruction by the likelihoods of a causal language model; deterministic.

    model:          "smollm2", the embedded SmolLM2-135M-Instruct; or any causal model: a hub
                    repository ("meta-llama/Llama-2-7b-chat-hf", the paper's), a folder or a GGUF
                    file. Its chat template, if it has one, frames the examples; the embedded models
                    read them plain, as measured.
    candidates:     pairs of object and style that survive the reading and are scored by the
                    writing, >= 1; more are slower.
    channel_weight: weight of the writing's log-likelihood beside the reading's, >= 0. This and the
                    other numbers were chosen on benchmarks/instructions_dev and _hard.jsonl,
                    grammar_prior on _fresh.jsonl as well.
    word_bonus:     nats a word of a span counts when the candidates are chosen, >= 0: makes sure
                    that long spans reach the writing, and has no say in the end.
    grammar_prior:  nats that the pair of the grammar (`RulesParser`) gains, >= 0; at 0 the grammar
                    is not asked and the model decides alone.
    """

    def __init__(
        self,
        model: str = "smollm2",
        candidates: int = 4,
        channel_weight: float = 0.3,
        word_bonus: float = 0.6,
        grammar_prior: float = 4.0,
    ) -> None:
        self.model = model
        self.candidates = candidates
        self.channel_weight = channel_weight
        self.word_bonus = word_bonus
        self.grammar_prior = grammar_prior

    @classmethod
    def weights_needed(cls, model: str, **settings: float) -> list[str]:
        """Names of the published weights that these arguments need."""
        return weights_needed(model)

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer(load_network(self.model))

    @cached_property
    def _reading(self) -> Context:
        before, _ = self._frame
        return self._scorer.begin(before, special=self._chats)

    @cached_property
    def _chats(self) -> bool:
        return self.model not in EMBEDDED and bool(self._scorer.network.chat_template)

    @cached_property
    def _frame(self) -> tuple[str, str]:
        """What goes before "Instruction: ..." and what after it: examples, and a chat's marks."""
        task = "Split each instruction into the object to change and the style it should get."
        examples = _examples(task, "Object", "Style")
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
    def _writing(self) -> Context:
        task = "Write an instruction from the object and the style."
        return self._scorer.begin(_examples(task, "Instruction"))

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
        name, style = self._likeliest(text)
        if several and REST.search(text):
            name = BACKGROUND
        return name, blend or style

    def _likeliest(self, text: str) -> tuple[str, str]:
        """Object and style that reading, writing and grammar together find likeliest."""
        by_rules = NOTHING
        if self.grammar_prior:
            reading = RulesParser().reading(text)
            text = wish_of(text) or text
            if reading.style or reading.sure:  # a loose form without a style fits any text
                by_rules = reading.object, reading.style
        pairs = self._read_pairs(text, by_rules)
        kept = [*pairs][: self.candidates]
        if not kept or kept[0] == by_rules:
            return by_rules if kept else NOTHING
        if by_rules in pairs and by_rules not in kept:
            kept.append(by_rules)
        given = [f"Object: {o or MISSING}\nStyle: {s or MISSING}\nInstruction:" for o, s in kept]
        written = self._scorer.said(" " + text, self._writing, given)
        totals = [
            pairs[pair] + self.channel_weight * w + self.grammar_prior * (pair == by_rules)
            for pair, w in zip(kept, written, strict=True)
        ]
        return kept[totals.index(max(totals))]

    def _read_pairs(self, text: str, by_rules: tuple[str, str]) -> dict[tuple[str, str], float]:
        """log P(object, style | instruction) of all legal pairs, the best candidates first.

        The two spans do not overlap, at least one is not empty, and the object is neither the whole
        picture nor a part of the sentence. by_rules: a pair that is read even if its spans seem
        unlikely.
        """
        spans = [(text[a:b], (a, b)) for a, b in legal_spans(text)]
        query = self._scorer.read(f"Instruction: {text}{self._frame[1]}", self._reading)
        scores = self._scorer.lines(
            query,
            heads=("Object:", "Style:"),
            texts=[MISSING, *dict(spans)],
            kept=[(MISSING, name) for name in by_rules],
        )
        rated = [
            [(found[MISSING], "", NO_SPAN)]
            + [(found[name], name, span) for name, span in spans if name in found]
            for found in scores
        ]
        pairs = {
            (object, style): p + q
            for (p, object, a), (q, style, b) in product(*rated)
            if (object or style) and not overlap(a, b) and not NO_OBJECT.search(object)
        }

        def promise(pair: tuple[str, str]) -> float:
            return pairs[pair] + self.word_bonus * len(" ".join(pair).split())

        return {pair: pairs[pair] for pair in sorted(pairs, key=promise, reverse=True)}
