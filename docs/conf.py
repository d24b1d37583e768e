"""Sphinx configuration: `make docs` builds build/docs/index.html, without network.

It runs in the repository's root, from which it imports.
"""

import re
from typing import Any

from datamodules.support.versions import own_version

project = "Atelier"
release = own_version()
html_title = f"Atelier {release}"
html_theme = "furo"
html_show_copyright = False
exclude_patterns = ["_templates", "template"]
templates_path = ["_templates"]
html_static_path: list[str] = []
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "docs.command_line",
    "docs.docstrings",
    "sphinx_copybutton",
]
myst_heading_anchors = 3  # links to headings, as other programs show them
myst_enable_extensions = ["colon_fence"]
suppress_warnings = ["ref.python"]  # names of types that several modules define
smartquotes = False  # "" is an empty string
default_role = "literal"  # docstrings write `names` so
autodoc_inherit_docstrings = False
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autosummary_generate = True


def setup(app: Any) -> None:
    """Make links of the names of other pages, which are written as paths in the repository."""
    app.connect("source-read", _link)


def _link(app: Any, name: str, source: list[str]) -> None:
    source[0] = re.sub(r"`docs/(\w+\.md)`", r"[](/\1)", source[0])
