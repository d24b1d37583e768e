"""Docstrings become reStructuredText for the pages of the API."""

from docs import docstrings


def converted(text):
    return "\n".join(docstrings.converted(text.splitlines()))


def test_arguments_are_a_list_whether_or_not_a_heading_stands_above():
    listed = "\n- `size`: longer side,\n  in px.\n\n- `a, b`: both."
    arguments = "size: longer side,\n    in px.\na, b: both."
    assert converted(arguments) == listed
    below = "\n".join(f"    {line}" for line in arguments.splitlines())
    assert converted(f"Args:\n{below}") == f"**Args:**\n{listed}"


def test_indented_lines_stay_as_they_are_and_stars_are_stars():
    assert converted("As in:\n    l = a * b\nwith `*args` and x*y.") == (
        "As in:\n\n::\n\n        l = a * b\n\nwith `*args` and x\\*y."
    )
