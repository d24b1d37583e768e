"""Likeness of structure in the object and in the background: five measures without weights, by piq.

| measure   | compares                                      | range    | better | source           |
|-----------|-----------------------------------------------|----------|--------|------------------|
| `haarpsi` | edges and colour, by Haar wavelets            | 0 to 1   | high   | Reisenhofer 2018 |
| `fsim`    | phase congruency, gradients, colour (FSIMc)   | 0 to 1   | high   | Zhang 2011       |
| `vifp`    | the content's information that the output has | 0 to inf | high   | Sheikh 2006      |
| `gmsd`    | gradients: unevenness of their similarity     | 0 to 0.5 | low    | Xue 2014         |
| `mdsi`    | gradients, colour: unevenness of similarity   | 0 to 1   | low    | Nafchi 2016      |

piq compares whole pictures. **A region is measured by its own change alone**: the content replaces
the output everywhere else, so that nothing outside moves the score, and both pictures are cropped
to the region's bounding box and `BAND` px around it, so that a small object is not drowned in equal
pixels. With a mask that covers the picture, the numbers are piq's. What else lies in the box is
equal there, which raises the score: compare outputs with the same mask.

The object is all that the mask touches (value > 0), the background what lies more than `band` px
away from it, as for the errors of `background`.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from datamodules.support.errors import AtelierError
from evaluation.metrics import scores as declared
from evaluation.metrics.background import BAND, outside
from evaluation.metrics.base import UNDEFINED, PictureMetric, Pictures
from evaluation.metrics.boxes import box_around

SMALLEST = 41  # px, the shortest side with four scales of VIFp


def structure(output: Tensor, content: Tensor) -> dict[str, Tensor]:
    """Similarity or distance (N,) of whole pictures (N, 3, H, W) in [0, 1], by measure."""
    import piq

    measures = {
        "haarpsi": piq.haarpsi,
        "fsim": piq.fsim,
        "vifp": piq.vif_p,
        "gmsd": piq.gmsd,
        "mdsi": piq.mdsi,
    }
    return {  # rounding can lead out of the range
        name: measure(output, content, reduction="none").clamp(
            declared.MEASURES[name].low, declared.MEASURES[name].high
        )
        for name, measure in measures.items()
    }


def structure_within(output: Tensor, content: Tensor, region: Tensor) -> dict[str, Tensor]:
    """Scalars by measure, for the change that lies in a region of one picture.

    output, content: (3, H, W) in [0, 1], at least SMALLEST px a side; region: (H, W) booleans.
    UNDEFINED for an empty region.
    """
    if not region.any():
        return dict.fromkeys(declared.MEASURES, output.new_tensor(UNDEFINED))
    rows, columns = box_around(region, BAND, SMALLEST)
    composite = torch.where(region, output, content)
    values = structure(composite[None, :, rows, columns], content[None, :, rows, columns])
    return {name: value[0] for name, value in values.items()}


class Structure(PictureMetric):
    """The five measures in the object and in the background.

    Args:
        band: width in pixels of the boundary that does not count as background.
    """

    scores: ClassVar = declared.STRUCTURE
    reads_objects = True

    def __init__(self, band: int = BAND) -> None:
        super().__init__()
        self.band = band

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        height, width = pictures.mask.shape[1:]
        if min(height, width) < SMALLEST:
            raise AtelierError(
                f"The measures of structure need pictures of at least {SMALLEST} x {SMALLEST} px; "
                f"this one has {width} x {height}"
            )
        regions = {
            "object": ~outside(pictures.mask, 0),
            "background": outside(pictures.objects, self.band),
        }
        return {
            f"{part}_{name}": values
            for part, region in regions.items()
            for name, values in self._within(pictures, region).items()
        }

    def _within(self, pictures: Pictures, region: Tensor) -> dict[str, Tensor]:
        """(N,) values by measure; region: (N, H, W) booleans."""
        triples = zip(pictures.output, pictures.content, region, strict=True)
        each = [structure_within(*triple) for triple in triples]
        return {name: torch.stack([values[name] for values in each]) for name in each[0]}
