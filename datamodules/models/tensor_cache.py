"""Tensors that take seconds to compute and are the same every time: kept in a file."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.support.errors import AtelierError
from datamodules.support.files import atomic

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)


def kept(path: Path, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors in the safetensors file; made, and written for the next time, if it has none.

    A damaged file (its sha256 is in its head) is made anew. What cannot be written is not kept.
    """
    from safetensors.torch import save_file

    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except Exception as error:  # safetensors raises kinds of its own
        log.warning("%s is damaged (%s) and is made anew", path, error)
    tensors = {name: tensor.cpu().contiguous() for name, tensor in make().items()}
    with contextlib.suppress(AtelierError), atomic(path) as temporary:
        save_file(tensors, temporary, {"sha256": _digest(tensors)})
    return tensors


def _read(path: Path) -> dict[str, Tensor]:
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        digest = (file.metadata() or {}).get("sha256")
    if _digest(tensors) != digest:
        raise ValueError("its sha256 differs")
    return tensors


def _digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].numpy())
    return digest.hexdigest()
