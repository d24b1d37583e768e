"""Answers of the page's handlers in whole values instead of differences.

Gradio sends a second update of a component as edits, which its page makes in the very object of the
first. Where both come before the page has shown the first, that one is lost: a button stays
disabled, a table empty. A value that takes the place of another leaves the other as it is.
"""

from __future__ import annotations

from typing import Any

import gradio as gr


def send_whole_values(page: gr.Blocks) -> None:
    """Let a page's handlers send every changed value whole."""
    usual = page.handle_streaming_diffs

    def whole(
        block_fn: Any,
        data: list,
        session_hash: str | None,
        run: str | None,
        final: bool,
        simple_format: bool = False,
    ) -> list:
        edited = run in page.pending_diff_streams[session_hash] and not (final or simple_format)
        values = list(data)
        sent = usual(block_fn, data, session_hash, run, final, simple_format)
        if not edited:
            return sent
        return [
            edits and [["replace", [], value]] for edits, value in zip(sent, values, strict=True)
        ]

    page.handle_streaming_diffs = whole
