"""Contract of parsers: their targets."""

import pytest

from datamodules.parsing.base import Parser, read_targets
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget


class Own(Parser):
    def __init__(self, targets) -> None:
        self.targets = targets

    def parse(self, instruction):
        return self.targets


@pytest.mark.parametrize("wrong", [None, [], [("cat", "fire")], StyleTarget("cat", "fire")])
def test_anything_but_targets_is_one_sentence(wrong):
    with pytest.raises(AtelierError, match="parse of Own returns"):
        read_targets(Own(wrong), "Turn the cat to fire")


def test_targets_are_taken_as_they_are():
    assert read_targets(Own((StyleTarget("cat", "fire"),)), "") == [StyleTarget("cat", "fire")]
