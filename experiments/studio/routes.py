"""Addresses that the page and its API need, most of them Gradio's; all others are not there."""

from __future__ import annotations

import re

READ = re.compile(  # by GET and HEAD
    r"""
    /|/(assets|static|svelte)/.+|/config/?|/theme\.css|/favicon\.ico|/robots\.txt
    |/server|/report/[\w./-]+|/manifest\.json|/pwa_icon(/\d+)?|/gradio_api/file[=/].+
    |/gradio_api/(
        theme\.css|info/?|openapi\.json|startup-events|app_id/?|upload_progress|queue/data
        |heartbeat/\w+|call/(v2/)?\w+/\w+
    )
    """,
    re.VERBOSE,
)
WRITE = re.compile(  # by POST
    r"/gradio_api/(queue/join|upload|cancel|reset|(run|api)/\w+|call/(v2/)?\w+)/?"
)
FILE = re.compile(r"/gradio_api/file[=/](.+)")
UPLOAD = re.compile(r"/gradio_api/upload/?")
# Answers in which the app hands files out.
HANDS_OUT = re.compile(
    r"/(config/?)?|/gradio_api/(upload|queue/data|(run|api)/\w+|call/(v2/)?\w+(/\w+)?)/?"
)
NAMES = re.compile(r"/gradio_api/(?:heartbeat|call/(?:v2/)?\w+)/(\w+)")


def exists(method: str, path: str) -> bool:
    """Whether there is such an address for this method."""
    allowed = {"GET": READ, "HEAD": READ, "POST": WRITE}.get(method)
    return bool(allowed and allowed.fullmatch(path))


def file_in(path: str) -> str | None:
    """The file that an address stands for, None for addresses of other things."""
    match = FILE.fullmatch(path)
    return match and match[1]


def names_in(path: str) -> list[str]:
    """Gradio's names for a page or an event in an address."""
    match = NAMES.fullmatch(path)
    return [match[1]] if match else []


def is_page(path: str) -> bool:
    return path == "/"


def is_report(path: str) -> bool:
    """Whether the page shows what is there in a frame of its own."""
    return path.startswith("/report/")


def is_asset(path: str) -> bool:
    """Whether the address changes with what is there."""
    return path.startswith("/assets/")


def is_upload(path: str) -> bool:
    return bool(UPLOAD.fullmatch(path))


def hands_out(path: str) -> bool:
    return bool(HANDS_OUT.fullmatch(path))
