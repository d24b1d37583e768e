"""Pages of `atelier COMMAND --help` in the documentation: an extension of Sphinx.

The directive `command-help` becomes one section per command, with the page that the command prints.
"""

from __future__ import annotations

import os
from contextlib import redirect_stdout, suppress
from io import StringIO
from typing import Any
from unittest.mock import patch

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from experiments.cli import COMMANDS, main

COLUMNS = "88"  # of the terminal in which the pages are printed


def setup(app: Any) -> None:
    """Add the directive."""
    app.add_directive("command-help", CommandHelp)


class CommandHelp(SphinxDirective):
    """The sections of all commands."""

    def run(self) -> list[nodes.Node]:
        return [_section(command) for command in COMMANDS]


def _section(command: str) -> nodes.section:
    title, page = f"atelier {command}", help_page(command)
    parts = nodes.title(title, title), nodes.literal_block(page, page, language="text")
    return nodes.section("", *parts, ids=[command], names=[command])


def help_page(command: str) -> str:
    """The page that `atelier COMMAND --help` prints."""
    page = StringIO()
    with patch.dict(os.environ, COLUMNS=COLUMNS), redirect_stdout(page), suppress(SystemExit):
        main([command, "--help"])
    return page.getvalue()
