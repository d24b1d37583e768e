"""Components of our own, and addresses of files for them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import gradio as gr

HERE = files("experiments.studio")
PREFIX = "/gradio_api/file="
PAUSE = 300  # ms
PAUSES = """
let timer;
document.addEventListener("input", (event) => {
  if (!event.target.closest("#%(field)s")) return;
  clearTimeout(timer);
  timer = setTimeout(() => trigger("pause"), %(pause)d);
}, true);
"""


def mask_canvas(**settings: Any) -> gr.HTML:
    """A mask over the photo, with a brush. Event: `stroke`, when a visitor has changed the mask."""
    return gr.HTML(
        value=None,
        html_template=(HERE / "mask_canvas.html").read_text(),
        js_on_load=(HERE / "mask_canvas.js").read_text(),
        apply_default_css=False,
        **settings,
    )


def pauses_in(field: str) -> gr.HTML:
    """An invisible part. Event: `pause`, once nobody has changed a field for PAUSE ms.

    Gradio's own event for input hears keys alone: neither a paste, nor the key that deletes, nor
    what a telephone writes.

    Args:
        field: id of the field's element.
    """
    return gr.HTML(
        "",
        js_on_load=PAUSES % {"field": field, "pause": PAUSE},
        apply_default_css=False,
        elem_classes="invisible",
    )


def address(file: Path) -> str:
    """Address under which a session sees a file of its folder."""
    return f"{PREFIX}{file}"
