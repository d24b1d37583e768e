"""Memory of an optimisation step: an estimate, and settings that make a large picture fit.

The memory of a step grows with the number of pixels. It is measured on a small piece of the picture
and extrapolated, so that no table of networks has to be maintained. If too little memory is free,
the encoder embeds fewer views at a time, content features are computed in tiles, and the generator
is recomputed in the backward pass. All of this takes time and leaves the gradient unchanged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from psutil import Process, virtual_memory
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from datamodules.models.allocator import give_back
from datamodules.photos import PhotoBatch
from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch, StyleTask
from lightning_modules.generators.base import Generator
from lightning_modules.perceptual.base import ContentFeatures
from lightning_modules.perceptual.tiles import reach
from lightning_modules.stylization import Stylization
from lightning_modules.training import Training

log = logging.getLogger(__name__)

PROBE = 128  # px; side of the piece that is measured
# Peak of painting without gradients, in multiples of the network's largest tensor: 4 to 6.8 of them
# were measured with seven networks at 900 to 1300 px, so that up to twice the peak is foreseen.
PAINTING = 7
OPAQUE = 64  # bytes per pixel of the largest tensor in a graph that hides its own: the painter's
PICTURES = 20  # tensors of the picture's size that a step needs beside those of the networks
# Temporary buffers of the backward pass, in multiples of the network's largest saved tensor.
BUFFERS = 4
RECOMPUTATION = 0.6  # share of a generator's bytes that remains if it is recomputed
CHUNKS = (32, 16, 4)  # views that the encoder embeds at a time, if memory is short
SMALLEST_SIDE = 64  # px; no smaller picture is suggested
TILES = (0, 1024, 512, 256)  # px; 0 = the whole picture


@dataclass(frozen=True)
class Footprint:
    """Bytes that autograd saves for the backward pass: of all tensors, and of the largest one."""

    total: int
    largest: int

    def scaled(self, factor: float) -> int:
        """Bytes with `factor` times the pixels, including the buffers of the backward pass."""
        return int(factor * (self.total + BUFFERS * self.largest))


def footprint(
    network: nn.Module, function: Callable[[Tensor], Tensor | list[Tensor]], picture: Tensor
) -> Footprint:
    """Footprint of function(picture), without the weights of `network`, which exist anyway."""
    sizes: dict[int, int] = {}

    def record(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor.detach()  # a result that its own graph holds would never be freed

    with saved_tensors_hooks(record, lambda tensor: tensor):
        results = function(picture)  # alive until all is counted, so that addresses are unique
    for weight in (*network.parameters(), *network.buffers()):
        sizes.pop(weight.untyped_storage().data_ptr(), None)
    del results
    return Footprint(sum(sizes.values()), max(sizes.values(), default=0))


def features_of(method: Stylization) -> list[ContentFeatures]:
    """Feature networks that process the output."""
    style = [method.style_features] if "gram" in method.weights else []
    return [method.content_features, *style]


class Estimate:
    """Bytes of one step of a method on a batch, beside the networks themselves."""

    def __init__(self, method: Stylization, batch: StyleBatch) -> None:
        height, width = batch.content.shape[2:]
        self.pixels = height * width
        piece = batch.content[..., :PROBE, :PROBE]
        canvas = piece if method.generator.any_size else batch.content
        self.share = self.pixels / (piece.shape[2] * piece.shape[3])
        self.canvas_share = self.pixels / (canvas.shape[2] * canvas.shape[3])
        self.generator = footprint(method.generator, method.generator, canvas)
        parts = [footprint(f, f, piece.clone().requires_grad_()) for f in features_of(method)]
        self.content = Footprint(sum(p.total for p in parts), max(p.largest for p in parts))
        self.margin = max(map(reach, features_of(method)))
        side = method.encoder.image_size
        view = torch.zeros(2, 3, side, side, requires_grad=True)
        self.view = footprint(method.encoder, method.encoder.embed_images, view)
        self.views = 2 + (method.patches.count if method.patches else 0)
        self.patches = self.views * 3 * side * side * 4
        self.rest = PICTURES * 3 * 4 * self.pixels + 4 * self.patches

    def whole(self, chunk: int) -> int:
        """Peak bytes without savings; the encoder embeds `chunk` views at a time (0 = all)."""
        views = self.view.scaled((chunk or self.views) / 2)
        return (
            self.rest
            + self.generator.scaled(self.canvas_share)
            + self.content.scaled(self.share)
            + views
        )

    def in_parts(self, chunk: int, tile: int) -> int:
        """Peak bytes of the memory-saving mode: the maximum over generator (recomputed), encoder
        (`chunk` views at a time) and content features (tiles of `tile` px; 0 = whole picture).

        The three never run at the same time.
        """
        area = min(self.pixels, (tile + 2 * self.margin) ** 2) if tile else self.pixels
        return self.rest + max(
            int(RECOMPUTATION * self.generator.scaled(self.canvas_share)),
            self.content.scaled(self.share * area / self.pixels),
            self.view.scaled(chunk / 2),
        )


def available(device: torch.device, limit: float = 0) -> int:
    """Bytes that a run may use: 90% of what is free on the device, or less by `limit`.

    limit: GB that this process may use altogether, 0 = no limit.
    """
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        in_use = total - free
    else:
        give_back()
        free, in_use = virtual_memory().available, Process().memory_info().rss
    return max(0, min(int(0.9 * free), int(limit * 1e9) - in_use if limit else free))


def fit_into(method: Stylization, batch: StyleBatch, available: int) -> int:
    """Set the method so that its steps fit into `available` bytes; returns the estimated bytes.

    Raises AtelierError if they cannot fit. Method and batch are on the CPU.
    """
    estimate = Estimate(method, batch)
    whole = estimate.whole(method.chunk)
    if whole <= available:
        return whole
    _refuse_too_large(estimate, batch, available)
    chunk, tile = next(
        (chunk, tile)
        for chunk in CHUNKS
        for tile in TILES
        if estimate.in_parts(chunk, tile) <= available
    )
    method.chunk, method.generator.recompute = chunk, True
    for features in features_of(method):
        features.tile = tile
    needed = estimate.in_parts(chunk, tile)
    height, width = batch.content.shape[2:]
    log.warning(
        "Optimising %dx%d px takes about %s, and %s may be used. To save memory, the encoder "
        "embeds %d views at a time, %sthe generator is computed twice. This takes about %s, and "
        "longer; the gradients are the same",
        *(width, height, _gb(whole), _gb(available), chunk),
        f"content features are computed in tiles of {tile} px, " if tile else "",
        _gb(needed),
    )
    return needed


def fit_one_pass(method: Stylization, batch: StyleBatch, available: int) -> int:
    """Estimate of the bytes of a run without steps; AtelierError if more than `available`."""
    height, width = batch.content.shape[2:]
    needed = painting(method.generator, batch.content, height * width)
    if needed > available:
        raise AtelierError(
            f"Painting {width}x{height} px takes about {_gb(needed)} of memory, and "
            f"{_gb(available)} may be used; give a smaller --size"
        )
    return needed


def painting(generator: Generator, content: Tensor, pixels: int) -> int:
    """Estimate of the bytes that painting so many pixels takes without gradients.

    It is measured on a piece of the content image (1, 3, H, W), for which the generator is started.
    """
    piece = content[..., :PROBE, :PROBE] if generator.any_size else content
    largest = OPAQUE * piece.shape[2] * piece.shape[3]
    if generator.optimisable:
        recompute, generator.recompute = generator.recompute, False  # which would hide tensors
        with torch.enable_grad():
            largest = footprint(generator, generator, piece).largest
        generator.recompute = recompute
    return PAINTING * largest * pixels // (piece.shape[2] * piece.shape[3])


def paint_full(method: Stylization, task: StyleTask, name: str) -> Tensor | None:
    """Picture (3, H, W) of a task that is larger than the method's own.

    Where memory is short it is None, and a warning says that the picture `name` is left out: the
    run is whole without it.
    """
    height, width = task.content.shape[1:]
    content = task.content[None].to(method.device)
    needed = painting(method.generator, content, height * width)
    try:
        room = available(method.device, method.memory)
        if method.device.type == "cpu" and needed > room:  # a GPU raises it itself
            raise torch.OutOfMemoryError
        return method.stylize(task.batch().to(method.device))[0]
    except torch.OutOfMemoryError:
        log.warning(
            "Painting the picture at %dx%d takes about %s, and less is free: %s is left out; give "
            "a smaller --full-size",
            *(width, height, _gb(needed), name),
        )
        return None


def fit_training(module: Training, batch: PhotoBatch, count: int, available: int) -> int:
    """Estimate of the bytes of a training step beside the networks.

    It is measured on the first picture of a batch. count: pictures that the device processes at a
    time. Raises AtelierError if the step takes more than `available`. The module is on the CPU.
    """
    one = batch.first(1)

    def losses(contents: Tensor) -> Tensor:
        painted = module.painted(replace(one, contents=contents))
        return torch.stack(list(module.losses(painted).values()))

    # Gradients, and two averages of them, as Adam has.
    weights = 3 * sum(weight.nbytes for weight in module.trained)
    each = footprint(module, losses, one.contents).scaled(1)
    needed = weights + count * each
    if needed > available:
        fewer = (available - weights) // each
        remedy = "a smaller --crop" if fewer < 1 else f"--trainer.accumulate_grad_batches {count}"
        raise AtelierError(
            f"A step with {count} pictures at a time takes about {_gb(needed)} of memory, and "
            f"{_gb(available)} may be used; give --batch with fewer pictures, or {remedy}"
        )
    return needed


def _refuse_too_large(estimate: Estimate, batch: StyleBatch, available: int) -> None:
    height, width = batch.content.shape[2:]
    least = estimate.in_parts(CHUNKS[-1], TILES[-1])
    if least <= available:
        return
    side = int(max(height, width) * (available / least) ** 0.5) // 32 * 32
    smaller = f"give --size {side} or less (--full-size still paints the photo larger)"
    raise AtelierError(
        f"Optimising {width}x{height} px takes about {_gb(least)} of memory even in parts, and "
        f"{_gb(available)} may be used beside what the networks occupy; "
        + (smaller if side >= SMALLEST_SIDE else "free some, or raise --model.memory")
    )


def _gb(size: float) -> str:
    return f"{size / 1e9:.1f} GB"
