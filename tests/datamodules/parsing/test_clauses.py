"""Clauses of an instruction."""

import json

import pytest

from datamodules.parsing.clauses import split_clauses
from tests.support.instructions import BENCHMARKS, SINGLE


@pytest.mark.parametrize("name", SINGLE)
def test_no_instruction_with_one_target_is_cut(name):
    for line in (BENCHMARKS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        instruction = json.loads(line)["instruction"]
        assert split_clauses(instruction) == [instruction]
