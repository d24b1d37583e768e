"""The sets of instructions."""

import json

import pytest

from datamodules.task import StyleTarget
from evaluation.metrics.parse_score import normalise
from tests.support.instructions import BENCHMARKS, SINGLE


def test_keys_of_several_targets_are_spans_too():
    lines = (BENCHMARKS / "instructions_several.jsonl").read_text(encoding="utf-8").splitlines()
    for case in map(json.loads, lines):
        assert len(case["targets"]) > 1
        for key in case["targets"]:
            assert key["style"] in case["instruction"]
            assert key["object"] == "background" or key["object"] in case["instruction"]


def test_no_instruction_is_in_two_sets():
    files = [*BENCHMARKS.glob("instructions*.jsonl")]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    said = [normalise(json.loads(line)["instruction"]) for line in lines]
    assert len(files) == len(SINGLE) + 1
    twice = {instruction for instruction in said if said.count(instruction) > 1}
    assert twice == set()


@pytest.mark.parametrize(("name", "size"), SINGLE.items())
def test_keys_are_spans_that_the_parser_may_choose(name, size):
    lines = (BENCHMARKS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    assert len({case["instruction"] for case in cases}) == size
    for case in cases:
        assert case["object"] in case["instruction"] and case["style"] in case["instruction"]
        assert StyleTarget(case["object"], case["style"]) != StyleTarget("", "")
