"""Measurement of parsers: accuracy against keys, a judge's opinion, and time per instruction.

The result is a table with one row per parser (`ParserTable`), beside the ten language models that
Soulstyler (arXiv 2311.13562) published. `atelier evaluate-parsers`, `atelier bench instructions`
and `experiments/reproduce/soulstyler_llm.py` print or write it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from datamodules.support.errors import AtelierError
from datamodules.target_entries import entry_of
from evaluation.instruction_sets import Example, read_examples
from evaluation.report.published import read_parsers

if TYPE_CHECKING:  # torch takes seconds to import
    from datamodules.parsing.base import Parser
    from datamodules.task import StyleTarget
    from evaluation.metrics.parse_judge import Judge, Judgement

MOST_FAILURES = 3  # consecutive failures of the judge's endpoint, after which it is left alone


@dataclass
class Answer:
    """A parser's answer to one example.

    targets: () if the parser refused. seconds: of parsing. scores: by name, each in [0, 1] (see
    `ParseScore.scores`). refusal: the parser's reason, "" if it answered. judgement: None without a
    judge, or if the judge failed.
    """

    example: Example
    targets: tuple[StyleTarget, ...]
    seconds: float
    scores: dict[str, float]
    refusal: str = ""
    judgement: Judgement | None = None

    def details(self, judged: bool) -> dict[str, Any]:
        """The answer for JSON. judged: whether "judge" is a part of it, None where it failed."""
        refusal = {"refused": self.refusal} if self.refusal else {}
        judgement = {"judge": self.judgement and asdict(self.judgement)} if judged else {}
        return {
            "instruction": self.example.instruction,
            **refusal,
            "seconds": self.seconds,
            "keys": [entry_of(target) for target in self.example.key],
            "found": [entry_of(target) for target in self.targets],
            "scores": self.scores,
            **judgement,
        }


@dataclass
class Measurement:
    """The measurement of one parser.

    answers: one per example, () if the parser could not be measured. seconds_to_load: without
    importing libraries. error: why it could not be measured, "" if it was. judge_error: the judge's
    last failure, "" if there was none.
    """

    parser: str
    answers: Sequence[Answer] = ()
    seconds_to_load: float = 0.0
    error: str = ""
    judge_error: str = ""

    @property
    def row(self) -> dict[str, Any]:
        """Means of the scores in [0, 1] and of the judge's in [0, 10]; median seconds; counts.

        Without answers: the parser's name and "error".
        """
        if not self.answers:
            return {"parser": self.parser, "error": self.error}
        means = {
            name: statistics.fmean(answer.scores[name] for answer in self.answers)
            for name in self.answers[0].scores
        }
        judged = [answer.judgement.score for answer in self.answers if answer.judgement]
        judge = {"judge": statistics.fmean(judged), "judged": len(judged)} if judged else {}
        return {
            "parser": self.parser,
            "n": len(self.answers),
            **means,
            "refused": sum(bool(answer.refusal) for answer in self.answers),
            "seconds_per_parse": statistics.median(answer.seconds for answer in self.answers),
            "seconds_to_load": self.seconds_to_load,
            **judge,
        }


@dataclass
class ParserTable:
    """Measurements of parsers on one set of instructions, as far as they have been made.

    set: name or path of the set. judge: None if there is none.
    """

    set: str
    judge: Judge | None = None
    measurements: list[Measurement] = field(default_factory=list)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [measurement.row for measurement in self.measurements]

    @property
    def complete(self) -> bool:
        """Whether every parser was measured and, if there is a judge, judged."""
        needed = {"n", "judge"} if self.judge else {"n"}
        return all(needed <= row.keys() for row in self.rows)

    def summary(self) -> dict[str, Any]:
        """The rows and the published ones, for JSON."""
        return self._about() | {"rows": self.rows, "published": read_parsers()}

    def details(self) -> dict[str, Any]:
        """The rows and every single answer, for JSON."""
        parsers = {
            measurement.parser: {
                "row": measurement.row,
                "instructions": [a.details(bool(self.judge)) for a in measurement.answers],
            }
            for measurement in self.measurements
        }
        return self._about() | {"parsers": parsers}

    def _about(self) -> dict[str, Any]:
        judge = self.judge and {
            "model": self.judge.chat.model,
            "at": self.judge.where,
            "rubric": self.judge.rubric_id,
        }
        return {"set": self.set, "judge": judge}


class Watch:
    """Hooks of `measure_parsers`; each does nothing unless a subclass overrides it."""

    def on_instruction(self, parser: str, stage: str, number: int, total: int) -> None:
        """An instruction was "parsed" or "judged", the `number`-th of all."""

    def on_parser_end(self, table: ParserTable) -> None:
        """The last measurement of the table is complete."""


def measure_parsers(
    parsers: dict[str, Parser],
    set_name: str = "test",
    judge: Judge | None = None,
    watch: Watch | None = None,
) -> ParserTable:
    """Measure parsers one after another.

    parsers: by name. The mapping is emptied on the way, since language models are large: each is
    freed before the next is loaded. set_name: as `read_examples` takes it.
    Raises AtelierError for a set that cannot be read; what fails later is in the table.
    """
    watch, table, examples = watch or Watch(), ParserTable(set_name, judge), read_examples(set_name)
    for name in list(parsers):
        table.measurements.append(_measurement(name, parsers.pop(name), examples, judge, watch))
        watch.on_parser_end(table)
    return table


def _measurement(
    name: str, parser: Parser, examples: Sequence[Example], judge: Judge | None, watch: Watch
) -> Measurement:
    """The measurement of one parser, with an error if it cannot be loaded or its endpoint fails."""
    from datamodules.support.chat import EndpointError

    try:
        seconds = _load(parser)
    except AtelierError as error:
        return Measurement(name, error=str(error))
    try:
        answers = []
        for number, example in enumerate(examples, 1):
            answers.append(_answer(parser, example))
            watch.on_instruction(name, "parsed", number, len(examples))
    except EndpointError as error:  # says nothing about how well the parser splits
        return Measurement(name, error=str(error))
    finally:
        _forget()
    failure = _judge(name, judge, answers, watch) if judge else ""
    return Measurement(name, answers, seconds, judge_error=failure)


def _load(parser: Parser) -> float:
    """Load the parser's network; seconds, without those of importing libraries."""
    from datamodules.parsing.llm import LLMParser

    if isinstance(parser, LLMParser):
        import transformers.models.auto.modeling_auto  # noqa: F401
    start = time.perf_counter()
    parser.load()
    return time.perf_counter() - start


def _forget() -> None:
    """Empty the caches of language models, so that each parser's loading is measured."""
    from datamodules.parsing.language_models import EMBEDDED, load_language_model

    for load in (load_language_model, *EMBEDDED.values()):
        load.cache_clear()


def _answer(parser: Parser, example: Example) -> Answer:
    """The answer to one example. Raises EndpointError where an endpoint fails."""
    from datamodules.support.chat import EndpointError
    from evaluation.metrics.parse_score import parse_scores

    targets, refusal, start = (), "", time.perf_counter()
    try:
        targets = tuple(parser.parse(example.instruction))
    except EndpointError:
        raise
    except AtelierError as error:
        refusal = str(error)
    seconds = time.perf_counter() - start
    scores = parse_scores(targets, example.key, example.instruction)
    return Answer(example, targets, seconds, scores, refusal)


def _judge(name: str, judge: Judge, answers: Sequence[Answer], watch: Watch) -> str:
    """Have the answers judged, in place; the last failure with the number of failures, or "".

    After MOST_FAILURES consecutive failures of the endpoint the judge is asked no more.
    """
    from datamodules.support.chat import EndpointError

    last, in_a_row = "", 0
    for number, answer in enumerate(answers, 1):
        try:
            answer.judgement = judge.judge(answer.example.instruction, answer.targets)
            in_a_row = 0
        except AtelierError as error:
            last = str(error)
            in_a_row = in_a_row + 1 if isinstance(error, EndpointError) else 0
        if in_a_row == MOST_FAILURES:
            break
        watch.on_instruction(name, "judged", number, len(answers))
    missing = sum(answer.judgement is None for answer in answers)
    return f"{missing} of {len(answers)} have no judgement: {last}" if missing else ""
