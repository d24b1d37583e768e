"""The tutorials do what they say, typed from the page into an empty folder."""

import pytest

from tests.support.cli import ROOT
from tests.support.own_methods import own_code_forgotten
from tests.support.pages import follow, is_in

PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md"))


@pytest.mark.slow  # real runs at the sizes that the pages name
@pytest.mark.parametrize(
    "page", [p for p in PAGES if p.stem != "index"], ids=lambda page: page.stem
)
def test_a_tutorial_works_as_it_is_written(page, tmp_path):
    with own_code_forgotten():
        follow(page.read_text(encoding="utf-8"), tmp_path)


def test_a_page_whose_output_differs_is_noticed(tmp_path):
    page = "```sh\natelier --version\n```\n\n```text\natelier {}\n```\n"
    follow(page.format("..."), tmp_path)
    with pytest.raises(AssertionError, match="not in"):
        follow(page.format("2..."), tmp_path)
    with pytest.raises(AssertionError, match="no-such"):
        follow("```sh\natelier no-such\n```\n", tmp_path)
    assert is_in("a  ... c", "x\na b b c\n")
