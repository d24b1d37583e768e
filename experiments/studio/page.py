"""The page: its components, and which handler serves which event."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib.resources import files
from itertools import chain
from typing import Any

import gradio as gr

from datamodules.support.errors import AtelierError
from experiments.studio import layout
from experiments.studio.draft import Choices
from experiments.studio.interface import lay_out_interface
from experiments.studio.look_back import lay_out_look_back
from experiments.studio.painting import Paintings
from experiments.studio.studio import Studio, Updates, say
from experiments.studio.ticket import CancelledError
from experiments.studio.understanding import Understanding
from experiments.studio.whole_values import send_whole_values

TITLE = "Atelier Studio"
HEAD = files("experiments.studio").joinpath("page.html").read_text()
STYLE = files("experiments.studio").joinpath("page.css").read_text()
FONTS = ["system-ui", "-apple-system", "Segoe UI", "sans-serif"]
# The first input is the mask, whose last stroke may be on its way still.
LAST_STROKE = "async (mask, ...others) => [(await window.atelierMask?.()) ?? mask, ...others]"
PRIVATE: dict[str, Any] = {
    "api_visibility": "private",
    "trigger_mode": "multiple",
    "show_progress": "hidden",
    "concurrency_limit": None,
}


def build_page(studio: Studio) -> gr.Blocks:
    """Build the page, whose handlers share a studio."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=False) as page:
        gr.HTML(
            f"<h1>{TITLE}</h1><p>Give an object in a photo the style that a sentence names.</p>"
        )
        with gr.Tabs():
            with gr.Tab("Paint"), gr.Row(elem_id="desk"):
                with gr.Column(min_width=320):
                    first, second = layout.lay_out_say(studio.models), layout.lay_out_check()
                with gr.Column(min_width=320):
                    third, fourth = layout.lay_out_watch(), layout.lay_out_keep()
            if studio.runs:
                with gr.Tab("Look back"):
                    lay_out_look_back(studio.runs, studio.report)
        lay_out_interface(studio)
        reading = Understanding(studio, first, second)
        _connect(page, reading, Paintings(studio, third, fourth, reading.settle))
    send_whole_values(page)
    return page


def _connect(page: gr.Blocks, reading: Understanding, painting: Paintings) -> None:
    """Give each event its handler."""
    first, check, watch, keep = reading.say, reading.check, painting.watch, painting.keep
    choices = [
        first.method, first.models, first.steps, first.seed, first.size, first.full_size,
        first.strength, first.brush, check.feather, first.keep_color, check.segmenter,
        check.threshold,
    ]  # fmt: skip
    understood = [first.photo, first.instruction, *_changing(check)]

    painted = [*understood, *_changing(watch), *_changing(keep)]

    def read(event: Any, handler: Callable, *inputs: Any, preprocess: bool = True) -> None:
        """Serve an event with a handler that takes some inputs before the choices, and paint then
        if the method takes no steps.
        """
        served = _served(handler, len(inputs), check.about, then=painting.at_once)
        event(served, [*inputs, *choices], painted, preprocess=preprocess, **PRIVATE)

    read(first.photo.input, reading.photo, first.photo, preprocess=False)
    read(first.writing.pause, reading.text, first.instruction)
    read(check.rows.input, reading.rows, check.rows)
    read(check.find.click, reading.phrase, check.phrase, check.area)
    read(check.phrase.submit, reading.phrase, check.phrase, check.area)
    for button in first.examples:
        read(button.click, reading.example, gr.State(button.value))

    def on(event: Any, handler: Callable, *inputs: Any) -> None:
        """The same for a handler that changes the mask alone."""
        served = _served(handler, len(inputs), check.about)
        event(served, [*inputs, *choices], understood, **PRIVATE)

    on(check.segmenter.input, reading.find)
    on(check.threshold.release, reading.find)
    on(check.area.input, reading.area, check.area)
    on(check.canvas.stroke, reading.stroke, check.canvas, check.area)
    on(check.pieces.input, reading.pieces, check.pieces, check.area)

    def do(event: Any, handler: Callable, *inputs: Any, js: str | None = None) -> None:
        """The same for a handler of paintings, after which the buttons are as before."""
        served = _served(handler, len(inputs), watch.status, painting.idle)
        event(served, [*inputs, *choices], painted, js=js, **PRIVATE)

    state = [check.canvas, first.instruction, check.rows, check.area]
    do(watch.paint.click, painting.paint, *state, js=LAST_STROKE)
    do(watch.stop.click, painting.stop)
    do(watch.more.click, painting.more, watch.more_steps)
    do(keep.compare.click, painting.compare, *state, keep.methods, js=LAST_STROKE)
    do(keep.vary.click, painting.vary, *state, keep.seeds, keep.strengths, js=LAST_STROKE)
    do(keep.history.select, painting.choose)
    do(page.load, painting.history)
    page.unload(reading.studio.leave)


def _changing(part: Any) -> list[Any]:
    """Components of a part of the page that handlers change: all but people's choices."""
    every = vars(part).items()
    return [
        each for name, each in every if name not in layout.CHOICES and not isinstance(each, list)
    ]


def _served(
    handler: Callable,
    count: int,
    where: gr.HTML,
    idle: Callable[[], Updates] = dict,
    then: Callable[[Choices, gr.Request], Iterator[Updates]] = lambda choices, request: iter(()),
) -> Callable[..., Iterator[Updates]]:
    """A handler as Gradio calls it: it takes what it names, and an AtelierError of it becomes a
    sentence on the page.

    count: number of its inputs, which the page's choices follow. where: the place of the sentence.
    idle: further updates after an AtelierError, made then: a component that is made while the page
    is built becomes a part of it. then: gives what follows the handler's own updates.
    """
    parameters = inspect.signature(handler).parameters

    def serve(request: gr.Request, *values: Any, **event: Any) -> Iterator[Updates]:
        silent = True
        try:
            choices = Choices.of(*values[count:])
            further = {"request": request, "choices": choices, **event}
            keywords = {name: value for name, value in further.items() if name in parameters}
            result = handler(*values[:count], **keywords)
            own = [result] if isinstance(result, dict) else result
            for updates in filter(None, chain(own, then(choices, request))):
                silent = False
                yield updates
        except CancelledError:  # a newer one has come, or the tab was closed
            pass
        except AtelierError as error:
            silent = False
            yield {where: say(str(error), "warning"), **idle()}
        if silent:  # Gradio empties the outputs of a handler that yields nothing
            yield {where: gr.skip()}

    def serve_choice(request: gr.Request, event: gr.SelectData, *values: Any) -> Iterator[Updates]:
        yield from serve(request, *values, event=event)

    return serve_choice if "event" in parameters else serve
