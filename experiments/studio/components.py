"""The mask as a component of Gradio, and addresses of files for it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import gradio as gr

HERE = files("experiments.studio")
PREFIX = "/gradio_api/file="


def mask_canvas(**settings: Any) -> gr.HTML:
    """A mask over the photo, with a brush. Event: `stroke`, when a visitor has changed the mask."""
    return gr.HTML(
        value=None,
        html_template=(HERE / "mask_canvas.html").read_text(),
        js_on_load=(HERE / "mask_canvas.js").read_text(),
        apply_default_css=False,
        **settings,
    )


def address(file: Path) -> str:
    """Address under which a session sees a file of its folder."""
    return f"{PREFIX}{file}"
