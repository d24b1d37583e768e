"""Measure how well parsers split instructions, beside the ten language models of Soulstyler.

Prints a table, a row a parser: the share of instructions whose object and style are both exact, and
either alone; token F1 and span IoU of both; the judge's mean; seconds; number of instructions.

  atelier evaluate-parsers --parsers smollm2,smollm2-alone,gemma3-270m,gemma3-270m-alone,rules
  atelier evaluate-parsers --parsers api:NAME --base-url http://127.0.0.1:8000/v1
  atelier evaluate-parsers --parsers hf:meta-llama/Llama-2-7b-chat-hf,./my-model --set dev
  atelier evaluate-parsers --parsers rules --judge NAME --judge-url http://127.0.0.1:8000/v1

The judge is a chat model that scores each split from 0 to 10 by a fixed rubric; without --judge
there is none. Its answers are kept: a second run asks only what is new. A key that an endpoint
needs is in OPENAI_API_KEY. A parser that cannot be measured gets a row of "-" and its reason on
stderr, and the exit code is 2 at the end. Language models hear what the grammar (rules) reads as
well; with "-alone" after the name they do not. How keys are written is said in docs/parsers.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datamodules
import evaluation
from datamodules.support.errors import AtelierError
from experiments.commands.parse import LLM, PARSERS, Choice

if TYPE_CHECKING:
    from datamodules.parsing.base import Parser
    from datamodules.task import StyleTarget
    from evaluation.metrics.parse_judge import Judge

BENCHMARKS = Path(datamodules.__file__).parent / "benchmarks"
SETS = {
    "test": "instructions",
    "aside": "instructions_aside",
    "dev": "instructions_dev",
    "hard": "instructions_hard",
    "wild": "instructions_wild",
    "fresh": "instructions_fresh",
    "several": "instructions_several",
}
ALONE = "-alone"  # after a language model's name: it decides without the grammar
PUBLISHED = Path(evaluation.__file__).parent / "published" / "soulstyler_parsers.yaml"
MOST_FAILURES = 3  # of the judge's endpoint one after the other; then it is asked no more

# Heading, name in a row, format; a row that lacks the name has "-" there.
COLUMNS = (
    ("parser", "parser", "s"),
    ("exact", "exact", ".2f"),
    ("object", "exact_object", ".2f"),
    ("style", "exact_style", ".2f"),
    ("F1 obj", "f1_object", ".2f"),
    ("F1 sty", "f1_style", ".2f"),
    ("IoU obj", "iou_object", ".2f"),
    ("IoU sty", "iou_style", ".2f"),
    ("judge", "judge", ".2f"),
    ("GPT-3.5", "gpt_3_5", ".2f"),
    ("GPT-4", "gpt_4", ".2f"),
    ("s/parse", "seconds_per_parse", ".2f"),
    ("s load", "seconds_to_load", ".1f"),
    ("n", "n", "d"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--parsers",
        default="smollm2,rules",
        metavar="NAME,...",
        help="smollm2, gemma3-270m, rules, api:MODEL, hf:REPOSITORY, a model's folder or GGUF file "
        "(default: %(default)s)",
    )
    add("--base-url", metavar="URL", help="the endpoint of api:MODEL (default: OPENAI_BASE_URL)")
    add(
        "--set",
        default="test",
        metavar="NAME",
        help=f"{', '.join(SETS)} or a JSON-lines file (default: %(default)s)",
    )
    add("--judge", metavar="MODEL", help="a chat model that scores each split from 0 to 10")
    add("--judge-url", metavar="URL", help="the judge's endpoint (default: OPENAI_BASE_URL)")
    add("--out", type=Path, metavar="FILE", help="write every instruction's result here, as JSON")
    add("--show-errors", action="store_true", help="say on stderr what was split wrongly")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON instead of a table")
    form.add_argument("--markdown", action="store_true", help="print the table as Markdown")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    if rest:
        raise AtelierError(
            f"atelier evaluate-parsers knows no {rest[0]}; see atelier evaluate-parsers --help"
        )
    # All that can be refused is refused before the time is spent.
    cases = load_cases(args.set)
    parsers = chosen_parsers(args.parsers, args.base_url)
    judge = chosen_judge(args.judge, args.judge_url)
    results: dict[str, dict[str, Any]] = {}
    for name in list(parsers):  # each is dropped after its turn: language models are large
        results[name] = result(name, parsers.pop(name), cases, judge, args.show_errors)
        if args.out:
            _write(args, judge, results)
    rows = [entry["row"] for entry in results.values()]
    published = read_published()
    if args.json:
        shown = _about(args, judge) | {"rows": rows, "published": published}
        print(json.dumps(shown, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        (print_markdown if args.markdown else print_table)(rows, published)
    wanted = {"n", "judge"} if judge else {"n"}
    return 0 if all(wanted <= row.keys() for row in rows) else 2


def load_cases(name: str) -> list[dict[str, Any]]:
    """The instructions of a set, each with the targets that are its key.

    name: one of SETS, or a file with a line {"instruction", "object", "style"} or {"instruction",
    "targets": [{"object", "style", "weight"}, ...]} each. Raises AtelierError for anything else.
    """
    path = BENCHMARKS / f"{SETS[name]}.jsonl" if name in SETS else Path(name)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AtelierError(
            f"There are no instructions to read at {path}; give a JSON-lines file or one of "
            f"{', '.join(SETS)} with --set"
        ) from error
    cases = [_case(line, f"{path}, line {n}") for n, line in enumerate(lines, 1) if line.strip()]
    if not cases:
        raise AtelierError(f"{path} has no instructions; write one a line as JSON")
    return cases


def _case(line: str, where: str) -> dict[str, Any]:
    from datamodules.task import StyleTarget

    try:
        entry = json.loads(line)
        keys = entry.get("targets", [entry])
        pairs = [(key["object"], key["style"], key.get("weight", 1)) for key in keys]
        good = all(isinstance(text, str) for o, s, _ in pairs for text in (o, s)) and all(
            type(weight) in (int, float) for *_, weight in pairs
        )
        if not (pairs and good and isinstance(entry["instruction"], str)):
            raise ValueError
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise AtelierError(
            f'{where} is no instruction with its key; write {{"instruction": ..., "object": ..., '
            '"style": ...}'
        ) from error
    keys = [StyleTarget(name, style, float(weight)) for name, style, weight in pairs]
    return {"instruction": entry["instruction"], "keys": keys}


def chosen_parsers(names: str, base_url: str | None) -> dict[str, Parser]:
    """The parsers that --parsers names, not yet loaded; AtelierError for a name that is none."""
    words = list(dict.fromkeys(word.strip() for word in names.split(",")))
    asked = [word for word in words if word.startswith("api:")]
    if base_url is not None and not asked:
        raise AtelierError("--base-url goes with api:MODEL in --parsers; leave it out")
    return {word: _parser(word, base_url or "") for word in words}


def _parser(name: str, base_url: str) -> Parser:
    kind, _, model = name.partition(":")
    if kind == "api":
        if not model:
            raise AtelierError("--parsers api asks a model; name it as api:MODEL")
        return PARSERS["api"].made(model=model, base_url=base_url)
    alone = {"grammar_prior": 0.0} if name.endswith(ALONE) and not Path(name).exists() else {}
    plain = name.removesuffix(ALONE) if alone else name
    if plain in PARSERS and (PARSERS[plain].path == LLM or not alone):
        return PARSERS[plain].made(**alone)
    if (kind == "hf" and model) or plain.endswith(".gguf") or (plain and Path(plain).exists()):
        return Choice(LLM, {"model": plain}).made(**alone)
    known = ", ".join([*(known for known in PARSERS if known != "api"), "api:MODEL"])
    raise AtelierError(
        f"--parsers has {name!r}, which is no parser; there are {known}, hf:REPOSITORY, and a "
        "model's folder or GGUF file"
    )


def chosen_judge(model: str | None, url: str | None) -> Judge | None:
    """The judge, if there is one; AtelierError for one that cannot be asked."""
    if model is None:
        if url is not None:
            raise AtelierError("--judge-url needs the judge's model; name it with --judge")
        return None
    from evaluation.metrics.parse_judge import Judge

    return Judge(model, url or "")


def result(
    name: str, parser: Parser, cases: list[dict], judge: Judge | None, show_errors: bool
) -> dict[str, Any]:
    """A parser's row of the table and what it made of every instruction.

    A parser that cannot be loaded, or whose endpoint fails, has "error" in its row and no scores.
    """
    from datamodules.support.chat import EndpointError

    try:
        seconds = _load(parser)
    except AtelierError as error:
        return _failed(name, error)
    try:
        records = measure(name, parser, cases)
    except EndpointError as error:  # says nothing about how the parser splits
        return _failed(name, error)
    finally:
        _forget()
    if judge:
        judge_all(name, judge, records)
    if show_errors:
        for record in records:
            if not record["scores"]["exact"]:
                shown = (json.dumps(record[part], ensure_ascii=False) for part in ("found", "keys"))
                print(record["instruction"], *shown, sep="\n  ", file=sys.stderr)
    return {"row": summary(name, records, seconds), "instructions": records}


def _failed(name: str, error: AtelierError) -> dict[str, Any]:
    _say(name, str(error))
    return {"row": {"parser": name, "error": str(error)}, "instructions": []}


def _load(parser: Parser) -> float:
    """Load what the parser needs; seconds, without those of importing libraries."""
    from datamodules.parsing.llm import LLMParser

    if isinstance(parser, LLMParser):
        import transformers.models.auto.modeling_auto  # noqa: F401
    start = time.perf_counter()
    parser.load()
    return time.perf_counter() - start


def _forget() -> None:
    """Models are not kept beside the next one: they are large, and each load is measured."""
    from datamodules.parsing.language_models import EMBEDDED, load_language_model

    for load in (load_language_model, *EMBEDDED.values()):
        load.cache_clear()


def measure(name: str, parser: Parser, cases: list[dict]) -> list[dict[str, Any]]:
    """What the parser made of each instruction: targets, seconds, scores.

    An instruction that the parser refuses has no targets and "refused" says why. Raises
    EndpointError where an endpoint fails.
    """
    from datamodules.support.chat import EndpointError
    from evaluation.metrics.parse_score import parse_scores

    records = []
    for number, case in enumerate(cases, 1):
        record, found = {"instruction": case["instruction"]}, []
        start = time.perf_counter()
        try:
            found = parser.parse(case["instruction"])
        except EndpointError:
            raise
        except AtelierError as error:
            record["refused"] = str(error)
        record["seconds"] = time.perf_counter() - start
        record["keys"], record["found"] = _plain(case["keys"]), _plain(found)
        record["scores"] = parse_scores(found, case["keys"], case["instruction"])
        records.append(record)
        _progress(name, "parsed", number, len(cases))
    return records


def _plain(targets: list[StyleTarget]) -> list[dict[str, Any]]:
    return [{"object": t.object, "style": t.style, "weight": t.weight} for t in targets]


def judge_all(name: str, judge: Judge, records: list[dict]) -> None:
    """Give each record its "judge": {"score", "reason"}, or None where the judge fails.

    Every failure is counted; after MOST_FAILURES of the endpoint in a row it is asked no more.
    """
    from datamodules.support.chat import EndpointError
    from datamodules.task import StyleTarget

    failures: list[AtelierError] = []
    in_a_row = 0
    for number, record in enumerate(records, 1):
        record["judge"] = None
        if in_a_row == MOST_FAILURES:
            continue
        try:
            found = [StyleTarget(**target) for target in record["found"]]
            judgement = judge.judge(record["instruction"], found)
            record["judge"] = {"score": judgement.score, "reason": judgement.reason}
            in_a_row = 0
        except AtelierError as error:
            failures.append(error)
            in_a_row = in_a_row + 1 if isinstance(error, EndpointError) else 0
        _progress(name, "judged", number, len(records))
    missing = sum(record["judge"] is None for record in records)
    if missing:
        _say(name, f"{missing} of {len(records)} have no judgement: {failures[-1]}")


def _progress(name: str, done: str, number: int, total: int) -> None:
    """A line on stderr that counts; in a file only its end."""
    if sys.stderr.isatty() or number == total:
        end = "\n" if number == total else ""
        print(f"\r{name}: {done} {number}/{total}", end=end, file=sys.stderr, flush=True)


def _say(name: str, message: str) -> None:
    """A line of its own on stderr, below the one that counts."""
    start = "\n" if sys.stderr.isatty() else ""
    print(f"{start}atelier: {name}: {message}", file=sys.stderr)


def summary(name: str, records: list[dict], seconds_to_load: float) -> dict[str, Any]:
    """A parser's row: means of the scores in [0, 1], the judge's in [0, 10], median seconds."""
    scores = [record["scores"] for record in records]
    row: dict[str, Any] = {"parser": name, "n": len(records)}
    row |= {score: statistics.fmean(entry[score] for entry in scores) for score in scores[0]}
    row["refused"] = sum("refused" in record for record in records)
    row["seconds_per_parse"] = statistics.median(record["seconds"] for record in records)
    row["seconds_to_load"] = seconds_to_load
    judged = [record["judge"]["score"] for record in records if record.get("judge")]
    if judged:
        row |= {"judge": statistics.fmean(judged), "judged": len(judged)}
    return row


def _about(args: argparse.Namespace, judge: Judge | None) -> dict[str, Any]:
    asked = judge and {"model": judge.chat.model, "at": judge.where, "rubric": judge.rubric_id}
    return {"set": args.set, "judge": asked}


def _write(args: argparse.Namespace, judge: Judge | None, results: dict[str, dict]) -> None:
    from datamodules.support.files import write_json

    write_json(args.out, _about(args, judge) | {"parsers": results})


def read_published() -> dict[str, Any]:
    """The table of Soulstyler, with its source."""
    import yaml

    return yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))


def _cells(row: dict[str, Any]) -> list[str]:
    return [format(row[name], form) if name in row else "-" for _, name, form in COLUMNS]


def _beside(published: dict[str, Any]) -> list[dict[str, Any]]:
    """The published rows as rows of our table, marked."""
    return [
        row | {"parser": f"{row['parser']} *", "n": published["instructions"]}
        for row in published["rows"]
    ]


def print_table(rows: list[dict[str, Any]], published: dict[str, Any]) -> None:
    """For eyes, on stdout; as wide as it must be, so that no number is cut."""
    from rich import box
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for heading, *_ in COLUMNS:
        right = "left" if heading == "parser" else "right"
        table.add_column(heading, justify=right, no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row))
    table.add_section()
    for row in _beside(published):
        table.add_row(*_cells(row))
    console = Console(width=1000)
    width = Measurement.get(console, console.options, table).maximum
    Console(width=width).print(table)
    print(f"* {published['source']}, {published['note']}")


def print_markdown(rows: list[dict[str, Any]], published: dict[str, Any]) -> None:
    """For a page, on stdout."""
    rule = ["---", *["---:"] * (len(COLUMNS) - 1)]
    lines = [[heading for heading, *_ in COLUMNS], rule]
    lines += [_cells(row) for row in [*rows, *_beside(published)]]
    print(*(f"| {' | '.join(line)} |" for line in lines), sep="\n")
    print(f"\n\\* {published['source']}, {published['note']}")
