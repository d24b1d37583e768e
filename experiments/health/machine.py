"""The machine: processor, GPU, memory, folders and programs, found without heavy imports."""

from __future__ import annotations

import netrc
import os
import re
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from urllib.parse import urlsplit

from datamodules.models.cache import REMEDY, cache_dir
from datamodules.support.home import data_dir, home
from experiments.health.finding import Finding
from experiments.health.packages import torch_build

NEEDED_MEMORY = 3e9  # bytes of a run of 512 px with the embedded models (README.md)
NEEDED_DISK = 1e9  # bytes for some runs and the cache
DRIVER = Path("/proc/driver/nvidia")
PROGRAMS = {
    ("chromium", "chromedriver"): ("Chromium", "only tests of pages need it"),
    ("pdflatex",): ("LaTeX", "only tables of atelier results as PDF need it"),
    ("sbatch",): ("SLURM", "only sweeps on a cluster that has it need it"),
}


def processor() -> Iterator[Finding]:
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limit = os.environ.get("OMP_NUM_THREADS")
    here = f"{threads} threads" + (f", OMP_NUM_THREADS={limit}" if limit else "")
    yield Finding("processor", "fine", here)


def gpu() -> Iterator[Finding]:
    """NVIDIA's cards by their driver, and whether PyTorch's build can use them."""
    cards = [
        re.search(r"Model:\s*(.+)", file.read_text())[1]
        for file in sorted(DRIVER.glob("gpus/*/information"))
    ]
    if not cards:
        yield Finding("GPU", "absent", "none with a driver; processors do all of the work")
        return
    version = re.search(r"\s(\d+\.\d+[.\d]*)\s", (DRIVER / "version").read_text())
    here = f"{', '.join(cards)}; driver {version[1] if version else 'of unknown version'}"
    try:
        build = torch_build()
    except (PackageNotFoundError, OSError):
        build = "missing"
    remedy = "" if "CUDA" in build else f"PyTorch is {build}; install its default build"
    yield Finding("GPU", "absent" if remedy else "fine", here, remedy)


def memory() -> Iterator[Finding]:
    from psutil import virtual_memory

    free, total = virtual_memory().available, virtual_memory().total
    short = free < NEEDED_MEMORY
    remedy = f"a run of 512 px takes {NEEDED_MEMORY / 1e9:.0f} GB; give a smaller --size"
    here = f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free"
    yield Finding("memory", "absent" if short else "fine", here, remedy if short else "")


def folders() -> Iterator[Finding]:
    """Folders that are written to: the present one for runs, our cache and data, libraries' own."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or home() / ".cache")
    torch = Path(os.environ.get("TORCH_HOME") or caches / "torch")
    hub = Path(os.environ.get("HF_HOME") or caches / "huggingface")
    yield _folder("present folder", Path.cwd(), "give --out, where runs are to be written")
    yield _folder("cache", cache_dir(), REMEDY)
    yield _folder("own data", data_dir(), "set ATELIER_DATA to a folder that can be written")
    yield _folder("weights of torch", torch, "set TORCH_HOME to a folder that can be written")
    yield _folder("weights of the hub", hub, "set HF_HOME to a folder that can be written")


def _folder(name: str, path: Path, remedy: str) -> Finding:
    at = next(place for place in (path, *path.parents) if os.path.lexists(place))
    if not at.is_dir() or not os.access(at, os.W_OK | os.X_OK):
        return Finding(name, "absent", f"{path} cannot be written", remedy)
    free = shutil.disk_usage(at).free
    here = f"{path}, {free / 1e9:.1f} GB free"
    if free < NEEDED_DISK:
        return Finding(name, "absent", here, f"make room, or {remedy}")
    return Finding(name, "fine", here)


def wandb_key() -> Iterator[Finding]:
    """Whether there is a key of Weights & Biases, in the environment or in ~/.netrc."""
    address = os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai"
    try:
        login = netrc.netrc(home() / ".netrc").authenticators(urlsplit(address).netloc)
    except (OSError, netrc.NetrcParseError):
        login = None
    if os.environ.get("WANDB_API_KEY") or login:
        yield Finding("W&B key", "fine", f"for {address}")
    else:
        yield Finding("W&B key", "absent", "none: runs are logged offline", "wandb login")


def programs() -> Iterator[Finding]:
    for names, (title, use) in PROGRAMS.items():
        if all(map(shutil.which, names)):
            yield Finding(title, "fine", shutil.which(names[0]))
        else:
            lacking = " and ".join(name for name in names if not shutil.which(name))
            yield Finding(title, "absent", f"no {lacking}: {use}")
