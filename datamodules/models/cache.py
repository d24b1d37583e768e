"""The two caches: `once_per_process` in memory, `on_disk` in the user's cache folder.

Both are decorators of the function that computes the value, so that a reader sees beside it how
long the value lives. The cache folder is $ATELIER_CACHE, else ~/.cache/atelier; deleting it, or any
file in it, costs time and nothing else. Several users can share one that their group may write:
files and folders follow the umask.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable
from functools import lru_cache, partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from datamodules.support.errors import AtelierError
from datamodules.support.files import atomic, make_folder
from datamodules.support.home import home

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

REMEDY = "set ATELIER_CACHE to a folder that can be written and has room"

P = ParamSpec("P")
T = TypeVar("T")


def cache_dir() -> Path:
    """The cache folder: $ATELIER_CACHE, else $XDG_CACHE_HOME/atelier, else ~/.cache/atelier."""
    if own := os.environ.get("ATELIER_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or home() / ".cache") / "atelier"


def once_per_process(compute: Callable[P, T] | None = None, *, at_most: int | None = None) -> Any:
    """Decorate a function so that equal arguments give the same object throughout this process.

    A `Path` among the positional arguments counts together with its modification time, so that a
    file that has changed is read again. For loaded networks and other values that nobody changes.

    at_most: values held at a time, >= 1; the least recently used one makes room. None = no limit.

    The decorated function has `cache_clear()` and, without the cache, `__wrapped__`.
    """
    if compute is None:
        return partial(once_per_process, at_most=at_most)

    @lru_cache(maxsize=at_most)
    def computed(times: tuple[int, ...], *args: P.args, **kwargs: P.kwargs) -> T:
        return compute(*args, **kwargs)

    @wraps(compute)
    def cached(*args: P.args, **kwargs: P.kwargs) -> T:
        files = [arg for arg in args if isinstance(arg, Path) and arg.exists()]
        return computed(tuple(file.stat().st_mtime_ns for file in files), *args, **kwargs)

    cached.cache_clear = computed.cache_clear
    return cached


class Format(Protocol[T]):
    """The form in which `on_disk` stores values of one type.

    required: whether a cache that cannot be written is an error. If not, a warning is logged and
              the value is computed again in every process.
    """

    required: bool

    def read(self, path: Path) -> T:
        """The stored value. FileNotFoundError if there is none, any other error if damaged."""

    def write(self, path: Path, value: Any) -> T:
        """Store a value, whole or not at all, and return what `read` would return.

        Raises AtelierError if the place cannot be written.
        """


def on_disk(
    form: Format[T], place: Callable[P, Path]
) -> Callable[[Callable[P, Any]], Callable[P, T]]:
    """Decorate a function so that its value is computed once and then read from a file or folder.

    A damaged value is computed and written anew, which a warning says.

    form:  how the value is stored, and how damage is noticed.
    place: the path, from the same arguments. Everything that the value depends on is in the path's
           name, above all the identity of the model (`identity`): a value is never out of date.

    Raises AtelierError, before anything is computed, if `form.required` and the folder of the path
    cannot be made.
    """

    def decorated(compute: Callable[P, Any]) -> Callable[P, T]:
        @wraps(compute)
        def cached(*args: P.args, **kwargs: P.kwargs) -> T:
            path = place(*args, **kwargs)
            try:
                return form.read(path)
            except (FileNotFoundError, NotADirectoryError):
                pass
            except Exception as error:  # each format raises kinds of its own
                log.warning("%s is damaged (%s) and is computed anew", path, error)
            if form.required:
                make_folder(path.parent, REMEDY)
            value = compute(*args, **kwargs)
            try:
                return form.write(path, value)
            except AtelierError as error:
                if form.required:
                    raise
                log.warning("%s", error)
                return value

        return cached

    return decorated


def identity(*parts: object) -> str:
    """SHA-256 (64 hexadecimal digits) of what a value depends on: texts, numbers, lists of them."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class TensorFile:
    """Tensors by name in a safetensors file, which holds their SHA-256 in its header."""

    required = False

    def read(self, path: Path) -> dict[str, Tensor]:
        from safetensors import safe_open

        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            digest = (file.metadata() or {}).get("sha256")
        if _digest(tensors) != digest:
            raise ValueError("its sha256 differs")
        return tensors

    def write(self, path: Path, value: dict[str, Tensor]) -> dict[str, Tensor]:
        from safetensors.torch import save_file

        tensors = {name: tensor.cpu().contiguous() for name, tensor in value.items()}
        with atomic(path, REMEDY) as temporary:
            save_file(tensors, temporary, {"sha256": _digest(tensors)})
        return tensors


def _digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].numpy())
    return digest.hexdigest()
