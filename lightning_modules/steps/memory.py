"""What an optimisation needs of memory, and how a large picture makes do with less.

What a step keeps for its way back grows with the pixels, so it is measured on a small piece of the
picture and extrapolated: no table of networks that would have to be kept true. Where too little is
free the encoder sees fewer views at a time, content features are computed in tiles, and the
generator paints once more on the way back. All of that takes time, and changes no gradient.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import torch
from psutil import Process, virtual_memory
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from datamodules.models.allocator import give_back
from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.perceptual.base import ContentFeatures
from lightning_modules.perceptual.tiles import reach
from lightning_modules.stylization import Stylization

log = logging.getLogger(__name__)

PAINTING = 800  # bytes per pixel that a generator needs to paint without gradients, about
PROBE = 128  # px; side of the piece that is measured
PICTURES = 20  # tensors of the picture's size that a step holds beside what networks keep
LARGEST = 4  # copies of its largest tensor that a network's way back takes meanwhile
RECOMPUTED = 0.6  # of a generator's bytes, where its parts keep only what goes into them
CHUNKS = (32, 16, 4)  # views that the encoder sees at a time where memory is short
SMALLEST_SIDE = 64  # px of a picture that is worth while
TILES = (0, 1024, 512, 256)  # px; 0 = the picture whole


@dataclass(frozen=True)
class Kept:
    """Bytes that a function keeps for its way back: in all, and of the largest tensor."""

    total: int
    largest: int

    def scaled(self, factor: float) -> int:
        """Bytes at so many times the pixels, with what the way back takes meanwhile."""
        return int(factor * (self.total + LARGEST * self.largest))


def kept(
    network: nn.Module, look: Callable[[Tensor], Tensor | list[Tensor]], picture: Tensor
) -> Kept:
    """What a network's function keeps; weights, which are there anyway, are not counted."""
    held: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        held[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        results = look(picture)  # alive until all is counted: no address is used twice
    for weight in (*network.parameters(), *network.buffers()):
        held.pop(weight.untyped_storage().data_ptr(), None)
    del results
    return Kept(sum(held.values()), max(held.values(), default=0))


def features_of(method: Stylization) -> list[ContentFeatures]:
    """The feature networks that look at the output in every step."""
    style = [method.style_features] if "gram" in method.weights else []
    return [method.content_features, *style]


class Estimate:
    """Bytes of one step of a method on a batch, beside the networks themselves."""

    def __init__(self, method: Stylization, batch: StyleBatch) -> None:
        height, width = batch.content.shape[2:]
        self.pixels = height * width
        piece = batch.content[..., :PROBE, :PROBE]
        seen = piece if method.generator.any_size else batch.content
        self.share = self.pixels / (piece.shape[2] * piece.shape[3])
        self.painted = self.pixels / (seen.shape[2] * seen.shape[3])
        self.generator = kept(method.generator, method.generator, seen)
        looked = [kept(f, f, piece.clone().requires_grad_()) for f in features_of(method)]
        self.content = Kept(sum(k.total for k in looked), max(k.largest for k in looked))
        self.margin = max(map(reach, features_of(method)))
        side = method.encoder.image_size
        view = torch.zeros(2, 3, side, side, requires_grad=True)
        self.view = kept(method.encoder, method.encoder.embed_images, view)
        self.views = 2 + (method.patches.count if method.patches else 0)
        self.cut = self.views * 3 * side * side * 4
        self.rest = PICTURES * 3 * 4 * self.pixels + 4 * self.cut

    def whole(self, chunk: int) -> int:
        """As it is, with the encoder's views in chunks if `chunk` is not 0."""
        views = self.view.scaled((chunk or self.views) / 2)
        return (
            self.rest
            + self.generator.scaled(self.painted)
            + self.content.scaled(self.share)
            + views
        )

    def in_parts(self, chunk: int, tile: int) -> int:
        """The generator paints twice, the encoder sees `chunk` views, a tile has `tile` px or, for
        0, is the picture: the most that one of the three needs, since no two are at work at once.
        """
        area = min(self.pixels, (tile + 2 * self.margin) ** 2) if tile else self.pixels
        return self.rest + max(
            int(RECOMPUTED * self.generator.scaled(self.painted)),
            self.content.scaled(self.share * area / self.pixels),
            self.view.scaled(chunk / 2),
        )


def available(device: torch.device, limit: float = 0) -> int:
    """Bytes that may still be taken: what is free on the device, less a tenth, or what `limit`, in
    GB, leaves to this process; the lesser.
    """
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        taken = total - free
    else:
        give_back()
        free, taken = virtual_memory().available, Process().memory_info().rss
    return max(0, min(int(0.9 * free), int(limit * 1e9) - taken if limit else free))


def fit_into(method: Stylization, batch: StyleBatch, available: int) -> int:
    """Set the method so that its steps fit into `available` bytes; what they will need, about.

    AtelierError where that cannot be. Method and batch are on the CPU.
    """
    estimate = Estimate(method, batch)
    whole = estimate.whole(method.chunk)
    if whole <= available:
        return whole
    height, width = batch.content.shape[2:]
    least = estimate.in_parts(CHUNKS[-1], TILES[-1])
    if least > available:
        side = int(max(height, width) * (available / least) ** 0.5) // 32 * 32
        smaller = f"give --size {side} or less (--full-size still paints the photo larger)"
        raise AtelierError(
            f"Optimising {width}x{height} px takes about {_gb(least)} of memory even in parts, and "
            f"{_gb(available)} may be used beside what the networks hold; "
            + (smaller if side >= SMALLEST_SIDE else "free some, or raise --model.memory")
        )
    fitting = [
        (chunk, tile)
        for chunk in CHUNKS
        for tile in TILES
        if estimate.in_parts(chunk, tile) <= available
    ]
    chunk, tile = fitting[0]
    needed = estimate.in_parts(chunk, tile)
    method.chunk, method.generator.recompute = chunk, True
    for features in features_of(method):
        features.tile = tile
    log.warning(
        "Optimising %dx%d px takes about %s at once, and %s may be used: the encoder sees %d views "
        "at a time, %sthe generator keeps little and paints twice. That takes about %s and longer; "
        "the gradients are the same",
        *(width, height, _gb(whole), _gb(available), chunk),
        f"content features come in tiles of {tile} px, " if tile else "",
        _gb(needed),
    )
    return needed


def _gb(size: float) -> str:
    return f"{size / 1e9:.1f} GB"
