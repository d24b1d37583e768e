"""Components of the page, in the order in which people use them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from experiments.run.configuration import EMBEDDED
from experiments.run.registry import METHODS, SEGMENTERS, names
from experiments.studio.components import mask_canvas, pauses_in
from experiments.studio.draft import HEADINGS

USUAL = ("the usual one", "")
EXAMPLES = {
    "chelsea": "Turn the cat to fire",
    "rocket": "Turn the rocket to the art on fire",
    "coffee": "Make the cup look like a mosaic",
    "astronaut": "Turn the astronaut into a watercolor painting",
}


# Parts that people set and no handler changes.
CHOICES = ("find", "segmenter", "threshold", "feather", "more_steps", "methods", "compare", "seeds",
           "strengths", "vary")  # fmt: skip


@dataclass(frozen=True)
class Say:
    """Photo, instruction, method and the settings behind "more"."""

    photo: gr.Image
    examples: Sequence[gr.Button]
    instruction: gr.Textbox
    writing: gr.HTML
    method: gr.Dropdown
    models: gr.Dropdown
    steps: gr.Number
    seed: gr.Number
    size: gr.Number
    full_size: gr.Number
    strength: gr.Slider
    brush: gr.Slider
    keep_color: gr.Checkbox


@dataclass(frozen=True)
class Check:
    """The reading as a table, and the mask."""

    rows: gr.Dataframe
    about: gr.HTML
    area: gr.Dropdown
    canvas: gr.HTML
    phrase: gr.Textbox
    find: gr.Button
    pieces: gr.CheckboxGroup
    segmenter: gr.Dropdown
    threshold: gr.Slider
    feather: gr.Slider


@dataclass(frozen=True)
class Watch:
    """Buttons, the picture so far and the losses."""

    paint: gr.Button
    stop: gr.Button
    more: gr.Button
    more_steps: gr.Number
    status: gr.HTML
    picture: gr.Image
    curves: gr.HTML


@dataclass(frozen=True)
class Keep:
    """Comparison, downloads, variations and this session's history."""

    slider: gr.ImageSlider
    picture: gr.DownloadButton
    mask: gr.DownloadButton
    layers: gr.DownloadButton
    config: gr.DownloadButton
    folder: gr.DownloadButton
    methods: gr.CheckboxGroup
    compare: gr.Button
    seeds: gr.Textbox
    strengths: gr.Textbox
    vary: gr.Button
    sheet: gr.Gallery
    history: gr.Gallery


def lay_out_say(models: str) -> Say:
    """The first part of the page. models: the preset that is chosen at first."""
    gr.Markdown("## 1 Say it")
    picture = gr.Image(
        type="filepath",
        label="Photo",
        sources=["upload", "clipboard", "webcam"],
        height=300,
        elem_id="photo",
    )
    with gr.Row(elem_id="examples"):
        examples = [gr.Button(name, size="sm", min_width=80) for name in EXAMPLES]
    instruction = gr.Textbox(
        label="Instruction",
        placeholder="Turn the white sailboat to the art on fire",
        lines=1,
        elem_id="instruction",
    )
    writing = pauses_in("instruction")
    with gr.Row():
        method = gr.Dropdown([USUAL, *names(METHODS)], value="", label="Method", elem_id="method")
        preset = gr.Dropdown([EMBEDDED, "fast", "paper", "reference", "siglip"], value=models,
                             label="Models", elem_id="models")  # fmt: skip
    with gr.Accordion("More", open=False, elem_id="more-settings"):
        with gr.Row():
            steps = gr.Number(
                0, label="Steps (0: the method's)", precision=0, minimum=0, elem_id="steps"
            )
            seed = gr.Number(0, label="Seed", precision=0, minimum=0)
        with gr.Row():
            size = gr.Number(
                0,
                label="Size while painting, px (0: usual)",
                precision=0,
                minimum=0,
                elem_id="size",
            )
            full = gr.Number(0, label="Size of the large picture, px (0: none)", precision=0)
        strength = gr.Slider(0, 1, 1, step=0.05, label="Strength of the change")
        brush = gr.Slider(0, 1, 0, step=0.05, label="Size of the strokes (0: the method's)")
        color = gr.Checkbox(False, label="Keep the photo's colours")
    return Say(picture, examples, instruction, writing, method, preset, steps, seed, size, full,
               strength, brush, color)  # fmt: skip


def lay_out_check() -> Check:
    """The second part of the page."""
    gr.Markdown("## 2 Check it")
    rows = gr.Dataframe(
        headers=list(HEADINGS),
        datatype="str",  # in a column of numbers, a new row begins with the weight 0
        type="array",
        column_count=(len(HEADINGS), "fixed"),  # Gradio 6 takes column_limits, and ignores them
        interactive=True,
        label="Read as (change what is wrong; ⋮ adds a row; an empty object is the whole picture)",
        buttons=[],
        wrap=True,
        elem_id="rows",
    )
    about = gr.HTML("", elem_id="about-mask")
    area = gr.Dropdown([], label="Mask of", interactive=True, visible=False, elem_id="area")
    canvas = mask_canvas(elem_id="mask")
    with gr.Row():
        phrase = gr.Textbox(
            label="Find again as",
            placeholder="the boat on the left",
            max_length=200,
            scale=3,
            elem_id="phrase",
        )
        find = gr.Button("Find again", scale=1, elem_id="find")
    pieces = gr.CheckboxGroup([], label="Pieces", visible=False, elem_id="pieces")
    with gr.Accordion("Finding", open=False), gr.Row():
        segmenter = gr.Dropdown(list(SEGMENTERS), value="bridge", label="Segmenter")
        threshold = gr.Slider(0, 1, 0, step=0.05, label="Threshold (0: the segmenter's)")
        feather = gr.Slider(0, 20, 2, step=0.5, label="Soft edge, px")
    return Check(rows, about, area, canvas, phrase, find, pieces, segmenter, threshold, feather)


def lay_out_watch() -> Watch:
    """The third part of the page."""
    gr.Markdown("## 3 Watch it")
    with gr.Row():
        paint = gr.Button("Paint", variant="primary", elem_id="paint")
        stop = gr.Button("Stop", interactive=False, elem_id="stop")
    with gr.Row():
        more = gr.Button("Continue", interactive=False, elem_id="more")
        more_steps = gr.Number(30, label="more steps", precision=0, minimum=1, min_width=80,
                               elem_id="more-steps")  # fmt: skip
    status = gr.HTML("", elem_id="status")
    picture = gr.Image(label="Picture", interactive=False, type="filepath", height=420,
                       buttons=["fullscreen"], elem_id="picture")  # fmt: skip
    curves = gr.HTML("", elem_id="curves")
    return Watch(paint, stop, more, more_steps, status, picture, curves)


def lay_out_keep() -> Keep:
    """The fourth part of the page."""
    gr.Markdown("## 4 Compare and keep")
    slider = gr.ImageSlider(label="Before and after", type="filepath", interactive=False,
                            buttons=[], elem_id="slider")  # fmt: skip
    with gr.Row(elem_id="downloads"):
        words = ("Picture", "Mask", "Layers", "Configuration", "Whole run")
        downloads = [
            gr.DownloadButton(word, size="sm", interactive=False, min_width=90,
                              elem_id=f"download-{word.split()[0].lower()}")
            for word in words
        ]  # fmt: skip
    with gr.Accordion("Several at once", open=False):
        methods = gr.CheckboxGroup(names(METHODS), label="Methods side by side")
        compare = gr.Button("Paint with each method", elem_id="compare")
        with gr.Row():
            seeds = gr.Textbox("0, 1, 2", label="Seeds", max_length=60)
            strengths = gr.Textbox("1", label="Strengths", max_length=60)
        vary = gr.Button("Paint with each seed and strength", elem_id="vary")
        sheet = gr.Gallery(label="Side by side", columns=3, object_fit="contain", elem_id="sheet")
    history = gr.Gallery(label="This session", columns=6, height=140, allow_preview=False,
                         object_fit="cover", fit_columns=False,
        elem_id="history")  # fmt: skip
    return Keep(slider, *downloads, methods, compare, seeds, strengths, vary, sheet, history)
