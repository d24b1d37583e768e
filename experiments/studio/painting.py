"""Handlers of the last two parts of the page: paint, watch, compare and keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from datamodules.run_folder import CONFIG, CONTENT, FULL, MASK, OUTPUT, RunFolder
from datamodules.support.errors import AtelierError
from experiments.run.order import Order
from experiments.studio.curves import curves
from experiments.studio.draft import Choices
from experiments.studio.layers import write_layers
from experiments.studio.layout import Keep, Watch
from experiments.studio.sessions import Session
from experiments.studio.studio import Studio, Updates, say
from experiments.studio.tasks import Paint, Painting, Stage
from experiments.studio.ticket import Place
from experiments.studio.zipping import write_zip

RUN = "run"  # kind of the folders of a session that hold runs
ONE_PASS = ("attention", "clipstyler_fast", "fast_clipstyler")  # methods without steps
MOST_AT_ONCE = 12  # paintings that one button orders


Settle = Callable[..., Iterator[Updates]]


class Paintings:
    """Handlers that return or yield updates of the page.

    settle: takes what the page shows of the request and nobody has taken yet.
    """

    def __init__(self, studio: Studio, watch: Watch, keep: Keep, settle: Settle) -> None:
        self.studio, self.watch, self.keep, self.settle = studio, watch, keep, settle

    def paint(self, *state: Any, choices: Choices, request: gr.Request) -> Iterator[Updates]:
        """Paint, and show the picture on the way. state: the request, as `settle` takes it."""
        yield from self.settle(*state, choices, request)
        yield from self._paint(choices, request)

    def _paint(self, choices: Choices, request: gr.Request) -> Iterator[Updates]:
        session = self.studio.session(request)
        order = self.studio.draft(request).order(choices, session.new_folder(RUN))
        painting = yield from self._follow(order, session, request)
        yield self._finished(painting, session, request)

    def at_once(self, choices: Choices, request: gr.Request) -> Iterator[Updates]:
        """Paint by a method in one pass as soon as all that it needs is there."""
        draft = self.studio.draft(request)
        complete = draft.masks and not draft.unmasked and any(t.style for t in draft.targets)
        if choices.method in ONE_PASS and complete:
            try:
                yield from self._paint(choices, request)
            except AtelierError:
                yield self.idle()
                raise

    def more(self, steps: int, request: gr.Request) -> Iterator[Updates]:
        """Go on with the last painting."""
        session, run = self.studio.session(request), self.studio.draft(request).run
        if run is None:
            raise AtelierError("There is no painting to continue yet; paint first")
        order = Order(
            {"continue": str(run), "steps": RunFolder(run).result.steps + int(steps or 0)}
        )
        painting = yield from self._follow(order, session, request)
        yield self._finished(painting, session, request)

    def stop(self, request: gr.Request) -> Updates:
        """End the painting after its present step."""
        self.studio.stop(request)
        return {self.watch.status: say("Stopping after this step; the picture stays.")}

    def compare(self, *state: Any, choices: Choices, request: gr.Request) -> Iterator[Updates]:
        """Paint the same with several methods, the last value of `state`."""
        *state, methods = state
        if len(methods) < 2:
            raise AtelierError("One method is nothing to compare; tick two or more")
        yield from self.settle(*state, choices, request)
        several = [(method, replace(choices, method=method)) for method in methods]
        yield from self._several(several, request)

    def vary(self, *state: Any, choices: Choices, request: gr.Request) -> Iterator[Updates]:
        """Paint the same with several seeds and strengths, the last values of `state`."""
        *state, seeds, strengths = state
        yield from self.settle(*state, choices, request)
        several = [
            (f"seed {seed:.0f}, strength {strength:g}",
             replace(choices, seed=int(seed), strength=strength))
            for seed in _numbers(seeds, "Seeds")
            for strength in _numbers(strengths, "Strengths")
        ]  # fmt: skip
        yield from self._several(several, request)

    def choose(self, event: gr.SelectData, request: gr.Request) -> Updates:
        """Show a painting of this session again."""
        session = self.studio.session(request)
        runs = _runs(session)
        if event.index >= len(runs):
            return {}
        return self._show(runs[event.index], session, request)

    def history(self, request: gr.Request) -> Updates:
        """The strip of this session's paintings, from before a reload of the page, too."""
        return {self.keep.history: _strip(self.studio.session(request))}

    def _several(
        self, several: Sequence[tuple[str, Choices]], request: gr.Request
    ) -> Iterator[Updates]:
        """Paint one after another, and show all of them side by side."""
        if len(several) > MOST_AT_ONCE:
            raise AtelierError(
                f"{len(several)} paintings are more than the {MOST_AT_ONCE} of one order; leave "
                "some out"
            )
        session, sheet, painting = self.studio.session(request), [], None
        for number, (title, choices) in enumerate(several, 1):
            order = self.studio.draft(request).order(choices, session.new_folder(RUN))
            before = f"{title} ({number} of {len(several)}): "
            painting = yield from self._follow(order, session, request, before)
            sheet.append((str(painting.folder / OUTPUT), title))
            yield {self.keep.sheet: list(sheet), self.keep.history: _strip(session)}
        if painting:
            yield self._finished(painting, session, request)

    def _follow(
        self, order: Order, session: Session, request: gr.Request, before: str = ""
    ) -> Iterator[Updates]:
        """Updates while a painting waits and goes on; returns it."""
        ticket = self.studio.submit(Paint(order), request)
        yield {
            self.watch.stop: gr.Button(interactive=True),
            self.watch.paint: gr.Button(interactive=False),
            self.watch.more: gr.Button(interactive=False),
            self.watch.status: say(before + "Getting ready ..."),
            self.watch.curves: "",
        }
        course: dict[str, list[float]] = {}
        previews = _Previews(session.new_folder("preview"))
        for event in ticket.events():
            if isinstance(event, Stage):
                for row in event.rows:
                    for name, value in row.items():
                        course.setdefault(name, []).append(value)
                yield {
                    self.watch.picture: previews.file_of(event.picture),
                    self.watch.curves: curves(course),
                    self.watch.status: say(before + _progress(event)),
                }
            elif isinstance(event, Place) and event.number:
                others = f"{event.number} painting{'s' * (event.number > 1)}"
                yield {self.watch.status: say(f"{before}Waiting: {others} before yours")}
        return ticket.result()

    def _finished(self, painting: Painting, session: Session, request: gr.Request) -> Updates:
        lines = [say(warning, "warning") for warning in painting.warnings]
        lines.append(say(session.make_room(), "warning"))
        lines += [say(f"{name}: {text}") for name, text in painting.summary.items()]
        updates = self._show(painting.folder, session, request)
        return updates | {self.watch.status: "".join(lines), self.keep.history: _strip(session)}

    def _show(self, folder: Path, session: Session, request: gr.Request) -> Updates:
        """A finished run in the last two parts of the page."""
        self.studio.change(request, lambda draft: replace(draft, run=folder))
        run = RunFolder(folder)
        output = folder / OUTPUT
        largest = folder / FULL if (folder / FULL).exists() else output
        files = {
            self.keep.picture: largest,
            self.keep.mask: folder / MASK,
            self.keep.layers: write_layers(run, session.folder / f"{folder.name}.ora"),
            self.keep.config: folder / CONFIG,
            self.keep.folder: write_zip(folder, session.folder / f"{folder.name}.zip"),
        }
        return {
            self.watch.picture: str(output),
            self.watch.curves: curves({k: v for k, v in run.losses.items() if k != "step"}),
            self.watch.paint: gr.Button(interactive=True),
            self.watch.stop: gr.Button(interactive=False),
            self.watch.more: gr.Button(interactive=bool(run.result.steps)),
            self.keep.slider: (str(folder / CONTENT), str(output)),
            **{
                button: gr.DownloadButton(value=str(file), interactive=True)
                for button, file in files.items()
            },
        }

    def idle(self) -> Updates:
        """The buttons after a painting that has failed."""
        return {
            self.watch.paint: gr.Button(interactive=True),
            self.watch.stop: gr.Button(interactive=False),
        }


@dataclass
class _Previews:
    """Files of the pictures on the way, of which the last two remain."""

    folder: Path
    number: int = 0

    def file_of(self, picture: bytes | None) -> str | None:
        """Write a picture, and return its path."""
        if picture is None:
            return gr.skip()
        self.number += 1
        (self.folder / f"{self.number - 2}.jpg").unlink(missing_ok=True)
        file = self.folder / f"{self.number}.jpg"
        file.write_bytes(picture)
        return str(file)


def _progress(event: Stage) -> str:
    if not event.steps:
        return "Painted in one pass; scoring ..."
    left = "" if event.seconds_left is None else f", {event.seconds_left:.0f} s left"
    return f"Step {event.step} of {event.steps}{left}"


def _runs(session: Session) -> list[Path]:
    """Folders of finished runs of a session, the newest first."""
    runs = [file.parent for file in session.folder.glob(f"{RUN}*/result.json")]
    return sorted(runs, key=lambda run: (run / "result.json").stat().st_mtime, reverse=True)


def _strip(session: Session) -> list[tuple[str, str]]:
    return [(str(run / OUTPUT), _title(run)) for run in _runs(session)]


def _title(folder: Path) -> str:
    run = RunFolder(folder)
    styles = ", ".join(f"{t.area.label}: {t.style}" for t in run.targets)
    return f"{styles} ({run.result.method}, {run.result.steps} steps)"


def _numbers(text: str, name: str) -> list[float]:
    """Numbers with commas between them."""
    try:
        return [float(word) for word in text.split(",") if word.strip()]
    except ValueError:
        raise AtelierError(f"{name} are {text!r}; write numbers with commas between them") from None
