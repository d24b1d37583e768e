"""`atelier list`."""

import subprocess
import sys

import pytest

from experiments.run import registry
from experiments.run.listing import KINDS, first_sentence, lines
from tests.support.cli import ROOT, assert_refused


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_has_a_sentence_and_an_origin(kind):
    every = lines(kind)
    assert every
    for line in every:
        assert line.text and "\n" not in line.text, line
        assert line.origin == "Atelier", line


def test_lists_have_the_names_that_commands_take():
    assert [line.name for line in lines("methods")] == registry.names(registry.METHODS)
    assert [line.name for line in lines("parsers")] == list(registry.PARSERS)


def test_nothing_heavy_is_imported():
    code = (
        "import sys; from experiments.cli import main; main(['list'])\nprint(*sys.modules)\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert not {"torch", "pydantic", "rich"}.intersection(result.stderr.split())
    assert "lightning_modules.soulstyler" not in result.stderr.split()


def test_the_list_of_a_kind(cli):
    result = cli("list", "generators")
    assert result.returncode == 0, result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(registry.GENERATORS)
    every = cli("list").stdout.splitlines()
    assert [line for line in every if not line.startswith(" ")] == list(KINDS)


def test_a_terminal_gets_lines_of_its_width(cli):
    assert max(map(len, cli("list", terminal=True).stdout.splitlines())) <= 100


def test_an_unknown_kind_is_refused(cli):
    assert_refused(cli("list", "methids"), "no kind 'methids'; .* did you mean methods")
    assert_refused(cli("list", "methods", "more"), "takes one kind, and no 'more'")


def test_first_sentences():
    assert first_sentence("Gatys et al. (2016): a style, e.g. fire. More.") == (
        "Gatys et al. (2016): a style, e.g. fire"
    )
    assert first_sentence("One\nline.\n\nAnother.") == "One line"
