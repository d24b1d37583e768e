"""The sets of instructions."""

import json
import re

import pytest

from datamodules.task import StyleTarget
from evaluation.metrics.parse_score import normalise
from tests.support.instructions import BENCHMARKS, SINGLE

SEVERAL = ("several", "kinds", "kinds_aside")  # sets of lines with any number of targets


@pytest.mark.parametrize("name", SEVERAL)
def test_keys_of_several_targets_are_spans_too(name):
    """Titles lose their quotes, so that the words around them need not be one span."""
    path = BENCHMARKS / f"instructions_{name}.jsonl"
    for case in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        text = re.sub(r"[\"\u201c\u201d\u2018\u2019']", "", case["instruction"])
        for key in case["targets"]:
            for phrase in (key["object"], key["style"], *key.get("except", ())):
                plain = re.sub(r"[\"\u201c\u201d\u2018\u2019']", "", phrase)
                assert phrase == "background" or plain in text


def test_no_instruction_is_in_two_sets():
    files = [*BENCHMARKS.glob("instructions*.jsonl")]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    sentences = [normalise(json.loads(line)["instruction"]) for line in lines]
    assert len(files) == len(SINGLE) + len(SEVERAL)
    twice = {instruction for instruction in sentences if sentences.count(instruction) > 1}
    assert twice == set()


@pytest.mark.parametrize(("name", "size"), SINGLE.items())
def test_keys_are_spans_that_the_parser_may_choose(name, size):
    lines = (BENCHMARKS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    assert len({case["instruction"] for case in cases}) == size
    for case in cases:
        assert case["object"] in case["instruction"] and case["style"] in case["instruction"]
        assert StyleTarget(case["object"], case["style"]) != StyleTarget("", "")
