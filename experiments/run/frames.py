"""Frames: pictures from a run's styles to others, by a network that paints in one pass.

A frame is painted as a run of its own would be whose styles are the frame's blends; so the first
and the last frame equal the runs with their styles to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image

from datamodules.images import on_white, to_picture, with_alpha
from datamodules.interpolation import between, captions
from datamodules.run_folder import STRIP, RunWriter
from datamodules.support.progress import progress_bar
from datamodules.task import Area, Blend, StyleTask
from evaluation.contact_sheet import labelled_grid
from lightning_modules.steps.memory import paint_full
from lightning_modules.stylization import Stylization

SIDE = 256  # px; longer side of the pictures in the strip and the GIF
ROW = 12  # most pictures in a row of the strip
SECONDS = 1.5  # from one style to the other in the GIF
LEAST, MOST = 40, 250  # milliseconds per picture of the GIF


@dataclass(frozen=True)
class Frames:
    """Writer of a run's frames, once its own picture is painted.

    task: the first frame. end: styles of the last one. shares: of `end` in each frame, in [0, 1].
    full: the same task at a larger size, None to leave that out.
    """

    task: StyleTask
    end: dict[Area, Blend]
    shares: Sequence[float]
    full: StyleTask | None = None

    @torch.no_grad()
    def __call__(self, module: Stylization, writer: RunWriter) -> None:
        """Paint and write all frames, the strip and the GIF; the module keeps the run's styles."""
        start = {region.area: region.styles for region in self.task.regions}
        pictures = []
        with progress_bar("frames") as progress:
            for number, share in enumerate(progress.track(self.shares)):
                styles = between(start, self.end, share)
                pictures.append(self._write_frame(number, styles, module, writer))
        _set_styles(module, self.task)
        cells = zip(pictures, captions(start, self.end, self.shares), strict=True)
        strip = [(picture, [caption]) for picture, caption in cells]
        writer.write_picture(STRIP, labelled_grid(strip, columns=ROW, gap=4))
        duration = round(1000 * SECONDS / len(pictures))
        writer.write_moving(pictures, min(max(duration, LEAST), MOST))

    def _write_frame(
        self, number: int, styles: dict[Area, Blend], module: Stylization, writer: RunWriter
    ) -> Image.Image:
        task = self.task.restyled(styles)
        _set_styles(module, task)
        image = module.stylize(task.batch().to(module.device))[0].cpu()
        writer.write_frame(number, image, task.alpha)
        if self.full:
            full = paint_full(module, self.full.restyled(styles), f"frame {number}")
            if full is not None:
                writer.write_frame(number, full, self.full.alpha, full=True)
        small = on_white(to_picture(with_alpha(image, task.alpha)))
        small.thumbnail((SIDE, SIDE))
        return small


def _set_styles(module: Stylization, task: StyleTask) -> None:
    # On the CPU, as at the start of every run: elsewhere the last bits of the styles differ.
    module.generator.cpu().start(task.batch())
    module.generator.to(module.device)
