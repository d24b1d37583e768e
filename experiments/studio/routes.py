"""Addresses of Gradio that the page and its API need; all others are not there."""

from __future__ import annotations

import re

API = "/gradio_api"
PAGE = re.compile(r"/")
ASSETS = re.compile(r"/(assets|static|svelte)/.+")
FILE = re.compile(r"(?:/gradio_api)?/file[=/](?P<path>.+)")
UPLOAD = re.compile(r"/gradio_api/upload/?")
READ = re.compile(  # by GET and HEAD
    r"""
    /|/(assets|static|svelte)/.+|/config/?|/theme\.css|/favicon\.ico|/robots\.txt
    |/manifest\.json|/pwa_icon(/\d+)?|(/gradio_api)?/file[=/].+
    |/gradio_api/(
        theme\.css|info/?|openapi\.json|startup-events|app_id/?|upload_progress|queue/data
        |heartbeat/[^/]+|call/(v2/)?\w+/\w+
    )
    """,
    re.VERBOSE,
)
WRITE = re.compile(  # by POST
    r"/gradio_api/(queue/join|upload|cancel|reset|(run|api)/\w+|call/(v2/)?\w+)/?"
)
# Answers in which the app hands files out: one JSON value, or events with one each.
HANDS_OUT = re.compile(r"/gradio_api/(upload|queue/data|(run|api)/\w+|call/(v2/)?\w+(/\w+)?)/?")
SESSION_HASH = re.compile(r"/gradio_api/heartbeat/(?P<hash>[^/]+)")


def exists(method: str, path: str) -> bool:
    """Whether there is such an address for this method."""
    allowed = {"GET": READ, "HEAD": READ, "POST": WRITE}.get(method)
    return bool(allowed and allowed.fullmatch(path))
