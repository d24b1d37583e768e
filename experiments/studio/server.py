"""The server: Gradio's application behind the guard, on one address."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn

from datamodules.support.errors import AtelierError
from datamodules.support.web import LOOPBACK
from experiments.run.configuration import EMBEDDED
from experiments.run.order import Order
from experiments.studio.desk import Desk
from experiments.studio.guard import Guard
from experiments.studio.sessions import Sessions
from experiments.studio.sharing import sharing
from experiments.studio.studio import Studio
from experiments.studio.tasks import PAINTING, READING, Warm
from experiments.studio.uploads import LARGEST
from experiments.studio.users import read_users

# Tabs and programs' calls, the latest, whose state Gradio keeps: 130 kB each. Its limit is 10,000.
STATES = 500


@dataclass(frozen=True)
class Place:
    """Address of the page, and what belongs to it.

    folder: of the sessions. runs: a folder to look back on, None without one. auth: a file of names
    and passwords, None without one. hours: after which a session's files are removed. share: gives
    it a public address, too.
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 7860
    models: str = EMBEDDED
    runs: Path | None = None
    auth: Path | None = None
    origins: Sequence[str] = ()
    hours: float = 24
    share: bool = False


def serve(place: Place, announce: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C or SIGTERM; processes end with it, and visitors' files stay.

    announce: called with each address of the page once it can be opened. Raises AtelierError for an
    address that is not available, and for a folder that another server uses.
    """
    with (
        listener(place.host, place.port) as listening,
        closing(Sessions(place.folder, place.hours)) as sessions,
        cleaning(sessions),
        sharing(*listening.getsockname()[:2]) if place.share else nullcontext("") as public,
        closing(Desk()) as desk,
        TemporaryDirectory() as report,
    ):
        small = Order({"size": 64, "steps": 1, "full_size": 0}, models=place.models)
        desk.warm({READING: Warm(READING), PAINTING: Warm(PAINTING, small)})
        studio = Studio(desk, sessions, place.models, place.runs, Path(report))
        addresses = [url_of(listening), public] if public else [url_of(listening)]
        app = application(studio, replace(place, origins=[*place.origins, *addresses[1:]]))
        _Server(app, lambda: [*map(announce, addresses)]).run([listening])


@contextmanager
def cleaning(sessions: Sessions, every: float = 3600) -> Iterator[None]:
    """Remove old sessions every so many seconds while the block lasts."""
    ended = threading.Event()

    def clean() -> None:
        while not ended.wait(every):
            sessions.clean()

    threading.Thread(target=clean, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def application(studio: Studio, place: Place) -> Guard:
    """The guarded application: the page, its report, and who serves it."""
    import gradio as gr
    from fastapi import FastAPI
    from fastapi.staticfiles import StaticFiles

    from experiments.studio import page

    app, server = FastAPI(openapi_url=None), secrets.token_hex(8)
    app.get("/server")(lambda: {"server": server})
    if place.runs:
        app.mount("/report", StaticFiles(directory=studio.report))
    theme = gr.themes.Base(font=page.FONTS, font_mono=["ui-monospace", "monospace"])
    blocks = page.build_page(studio)
    head = f'<meta name="server" content="{server}">{page.HEAD}'
    blocks.queue(default_concurrency_limit=None, max_size=200)
    blocks.state_session_capacity = STATES
    app = gr.mount_gradio_app(
        app, blocks, path="/", footer_links=[], run_history=False, enable_monitoring=False,
        theme=theme, css=page.STYLE, head=head, max_file_size=LARGEST, ssr_mode=False,
        mcp_server=False, pwa=False,
    )  # fmt: skip
    users = read_users(place.auth) if place.auth else None
    local = place.host in LOOPBACK
    return Guard(app, studio.sessions, place.folder, (), place.origins, local, users)


class _Server(uvicorn.Server):
    """Uvicorn that says when it listens."""

    def __init__(self, app: Guard, ready: Callable[[], None]) -> None:
        super().__init__(uvicorn.Config(app, log_level="warning", access_log=False,
                                        timeout_graceful_shutdown=2))  # fmt: skip
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # The stream of every open page is cut, which is no error of anybody's.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens; AtelierError where that is not possible."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except (socket.gaierror, OverflowError) as error:
        raise AtelierError(f"There is no address {host}:{port} here; mend --host") from error
    except OSError as error:
        raise AtelierError(
            f"Cannot listen on {host}:{port} ({error.strerror}); choose another --port"
        ) from error


def url_of(listening: socket.socket) -> str:
    """The address to open in a browser."""
    host, port = listening.getsockname()[:2]
    host = socket.gethostname() if host in ("0.0.0.0", "::") else host
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
