"""State behind the page: queue, folders, and the requests of all tabs."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from experiments.studio.desk import Desk
from experiments.studio.draft import Draft
from experiments.studio.sessions import Session, Sessions
from experiments.studio.tasks import Task
from experiments.studio.ticket import Ticket
from experiments.studio.visits import HEADER

Updates = dict[Any, Any]  # of components, as Gradio takes them
# Remedies of the command line, and what they are on the page.
REMEDIES = {
    "give --mask FILE": "draw it with the brush",
    "give a mask of what is to be painted: --mask FILE, with --style instead of the sentence": (
        'empty the column "except", and draw what is to be painted with the brush'
    ),
}


@dataclass
class Tab:
    """One tab of a browser: its request, which several handlers change, and what it waits for.

    turn: of the handlers that take what people have written or drawn, one after another.
    """

    draft: Draft = field(default_factory=Draft)
    tickets: list[Ticket] = field(default_factory=list)
    change: threading.Lock = field(default_factory=threading.Lock)
    turn: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Studio:
    """Means of the page's handlers.

    models: the preset at first. runs: a folder to look back on, None without one. report: folder
    for its report.
    """

    desk: Desk
    sessions: Sessions
    models: str
    runs: Path | None = None
    report: Path | None = None
    _tabs: dict[str, Tab] = field(default_factory=dict)

    def session(self, request: gr.Request) -> Session:
        """The session of a request."""
        return self.sessions.of(request.headers[HEADER])

    def draft(self, request: gr.Request) -> Draft:
        """The present request of a tab."""
        return self._tab(request).draft

    def turn(self, request: gr.Request) -> threading.Lock:
        """The lock of the handlers that take what a tab's visitor has written or drawn."""
        return self._tab(request).turn

    def change(self, request: gr.Request, change: Callable[[Draft], Draft]) -> Draft:
        """Change the request of a tab, as it is now, whatever handlers have done meanwhile."""
        tab = self._tab(request)
        with tab.change:
            tab.draft = change(tab.draft)
            return tab.draft

    def submit(self, task: Task, request: gr.Request) -> Ticket:
        """Queue a task for a tab; AtelierError if too many wait."""
        ticket, tab = (
            self.desk.submit(request.headers[HEADER], task, request.session_hash or ""),
            self._tab(request),
        )
        with tab.change:
            tab.tickets = [*(each for each in tab.tickets if not each.ended), ticket]
        return ticket

    def stop(self, request: gr.Request) -> None:
        """End the tab's paintings after their present step; their pictures stay."""
        for ticket in self._tab(request).tickets:
            ticket.stop()

    def leave(self, request: gr.Request) -> None:
        """Forget a closed tab, and end all that it has waited for."""
        tab = self._tabs.pop(request.session_hash or "", Tab())
        for ticket in tab.tickets:
            ticket.cancel()

    def _tab(self, request: gr.Request) -> Tab:
        return self._tabs.setdefault(request.session_hash or "", Tab())


def say(message: str, kind: str = "note") -> str:
    """HTML of a sentence. kind: note or warning."""
    for there, here in REMEDIES.items():
        message = message.replace(there, here)
    return f'<p class="{kind}">{html.escape(message)}</p>' if message else ""
