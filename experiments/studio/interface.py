"""The HTTP interface of the page: three endpoints of Gradio's, for programs.

docs/studio.md shows them in Python and with curl. A program names its session in the header
X-Atelier-Session, 32 to 64 hexadecimal digits of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import gradio as gr

from datamodules.run_folder import FULL, MASK, OUTPUT, RunFolder
from datamodules.support.errors import AtelierError
from datamodules.target_entries import entry_of
from experiments.studio.draft import Choices, Draft
from experiments.studio.painting import RUN
from experiments.studio.studio import Studio
from experiments.studio.tasks import Find, Paint, Read, ReadPhrase, Task
from experiments.studio.uploads import admit
from experiments.studio.visits import HEADER

PUBLIC: dict[str, Any] = {"api_visibility": "public", "concurrency_limit": None}


def lay_out_interface(studio: Studio) -> None:
    """Build the endpoints, of which the page shows nothing."""
    interface = Interface(studio)
    with gr.Column(visible=False):
        picture, text = gr.File(label="picture"), gr.Textbox(label="text")
        method, models = gr.Textbox("", label="method"), gr.Textbox(studio.models, label="models")
        numbers = [gr.Number(None, label=label, precision=0) for label in ("steps", "seed", "size")]
        file, mask = gr.File(label="picture"), gr.File(label="mask")
        about = gr.JSON(label="about")
        for name, inputs, outputs in (
            ("parse", [text], about),
            ("find_mask", [picture, text], [mask, about]),
            ("stylize", [picture, text, method, models, *numbers], [file, mask, about]),
        ):
            serve = _served(getattr(interface, name))
            gr.Button(name).click(serve, inputs, outputs, api_name=name, **PUBLIC)


class Interface:
    """Functions behind the endpoints. Each raises AtelierError as the page shows it."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def parse(self, text: str, request: gr.Request) -> list[dict[str, Any]]:
        """Split an instruction into objects and styles, as `atelier parse` prints them."""
        reading = self._result(Read(text), request)
        return [entry_of(target) for target in reading.targets]

    def find_mask(
        self, picture: str, phrase: str, request: gr.Request
    ) -> tuple[str, dict[str, Any]]:
        """Find an object: a mask (PNG, white = object), and its coverage and confidence."""
        session = self.studio.session(request)
        image = admit(_needed(picture), session).file
        targets = self._result(ReadPhrase(phrase), request)
        task = Find(image, tuple(targets), session.new_folder("masks"))
        finding = self._result(task, request)
        if finding.whole:
            raise AtelierError("The whole picture needs no mask; name an object in it")
        (mask,) = finding.masks[:1]
        about = {"coverage": mask.coverage, "confidence": mask.confidence}
        return str(mask.file), about | {"warnings": finding.warnings}

    def stylize(
        self,
        picture: str,
        instruction: str,
        method: str,
        models: str,
        steps: int | None,
        seed: int | None,
        size: int | None,
        request: gr.Request,
    ) -> tuple[str, str, dict[str, Any]]:
        """Give an object the style that a sentence names: picture, mask, and what was made."""
        session = self.studio.session(request)
        image = admit(_needed(picture), session).file
        reading = self._result(Read(instruction), request)
        choices = Choices(method or "", models or None, steps, seed, size)
        order = Draft(image, targets=reading.targets).order(choices, session.new_folder(RUN))
        painting = self._result(Paint(order, every=float("inf")), request)
        run = RunFolder(painting.folder)
        output = next(f for f in (run.path / FULL, run.path / OUTPUT) if f.exists())
        about = {
            "targets": [entry_of(target) for target in run.targets],
            "method": run.result.method,
            "steps": painting.steps,
            "scores": painting.scores,
            "warnings": [*reading.warnings, *painting.warnings],
        }
        return str(output), str(run.path / MASK), about

    def _result(self, task: Task, request: gr.Request) -> Any:
        """The result of a task for a program. It is no tab's: a program closes none."""
        session, call = request.headers[HEADER], request.session_hash or ""
        return self.studio.desk.submit(session, task, call).result()


def _needed(picture: str | None) -> Path:
    if not picture:
        raise AtelierError("There is no picture; upload one first")
    return Path(picture)


def _served(endpoint: Callable) -> Callable:
    """An endpoint whose AtelierErrors are answers."""

    @wraps(endpoint)
    def serve(*values: Any) -> Any:
        try:
            return endpoint(*values)
        except AtelierError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return serve
