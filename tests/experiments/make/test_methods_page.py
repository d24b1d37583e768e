"""The page of the methods."""

import re


def test_the_methods_page_is_what_the_docstrings_say():
    from experiments.make.methods_page import METHODS, PAGE, names, page

    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run: python -m experiments.make.methods_page"
    )
    pictures = re.findall(r"\((pictures/\S+)\)", page())
    assert len(pictures) == len(names(METHODS)) + 3
    assert all((PAGE.parent / picture).exists() for picture in pictures)
