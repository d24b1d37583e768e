"""Connected pieces of a mask, among which people choose the instances that they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.support.errors import AtelierError

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

LEAST = 0.002  # share of the photo below which a piece is a crumb of its neighbour


@dataclass(frozen=True)
class Piece:
    """A connected piece of a mask.

    share: of the photo, in [0, 1]. x, y: its centre of gravity relative to width and height.
    """

    share: float
    x: float
    y: float


def pieces_of(mask: Image.Image) -> tuple[Piece, ...]:
    """Pieces of a mask (mode L), the largest first; what is above one half belongs to one."""
    pieces, _ = _labelled(mask)
    return pieces


def keep_pieces(file: Path, indices: Sequence[int]) -> Path:
    """Write a mask that has only some pieces of the one in a file, beside it.

    indices: of `pieces_of`. Every pixel, of the soft edges and of crumbs too, goes with the piece
    that is nearest to it. Returns the new file; AtelierError if no piece remains.
    """
    import numpy as np
    from PIL import Image

    from datamodules.images import save_png
    from datamodules.reading.opening import open_picture

    mask = open_picture(str(file)).convert("L")
    pieces, nearest = _labelled(mask)
    numbers = sorted(set(indices) & set(range(len(pieces))))
    if not numbers:
        raise AtelierError("No piece of the mask is left; choose at least one")
    inside = np.isin(nearest, numbers)
    path = file.with_name(f"{file.stem}-{'-'.join(map(str, numbers))}.png")
    save_png(Image.fromarray(np.asarray(mask) * inside), path)
    return path


def _labelled(mask: Image.Image) -> tuple[tuple[Piece, ...], np.ndarray]:
    """The pieces, and the index (H, W) of the one that is nearest to each pixel."""
    import numpy as np
    from scipy import ndimage

    solid = np.asarray(mask) > 127
    labels, count = ndimage.label(solid, np.ones((3, 3)))
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    areas[0] = 0
    order = [n for n in np.argsort(-areas, kind="stable") if areas[n] >= LEAST * labels.size]
    order = order[: int((areas > 0).sum())]
    rows, columns = labels.shape
    centres = ndimage.center_of_mass(solid, labels, order) if order else []
    pieces = tuple(
        Piece(float(areas[n] / labels.size), float((x + 0.5) / columns), float((y + 0.5) / rows))
        for n, (y, x) in zip(order, centres, strict=True)
    )
    index = np.full(count + 1, -1)
    index[order] = range(len(order))
    own = index[labels]
    if not order:
        return pieces, own
    place = ndimage.distance_transform_edt(own < 0, return_distances=False, return_indices=True)
    return pieces, own[tuple(place)]
