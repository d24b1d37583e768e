"""Small sweeps (fixture `sweep`), and what their runs leave."""

from functools import partial

import pytest
import yaml

# What a run leaves that its configuration determines to the last byte.
PRODUCTS = ("content.png", "mask.png", "output.png", "output_enhanced.png", "losses.csv")


@pytest.fixture
def sweep(tmp_path, mask):
    """A function that writes a file with a sweep of tiny runs into the test's folder."""
    return partial(write_sweep, tmp_path, mask)


def write_sweep(folder, mask, grid, **fixed):
    """Write a sweep over `grid`; `fixed` are further settings. The file's path."""
    small = {"image": "skimage:chelsea", "object": "cat", "style": "fire", "mask": str(mask)}
    small |= {"size": 64, "steps": 2, "model.brush": 0.5, "model.patches.count": 4}
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump({"fixed": small | fixed, "grid": grid}))
    return path


def products(root):
    """The bytes of what every run has left, by run and file."""
    return {
        (folder.name, name): (folder / name).read_bytes()
        for folder in sorted((root / "runs").iterdir())
        if folder.is_dir()
        for name in PRODUCTS
    }


def products_there(root):
    """The same of runs that have not left everything yet."""
    return {
        (file.parent.name, file.name): file.read_bytes()
        for file in (root / "runs").glob("*/*")
        if file.name in PRODUCTS
    }


def results(root):
    """The times, in ns, at which the finished runs have written their results, by file."""
    return {file: file.stat().st_mtime_ns for file in root.glob("runs/*/result.json")}
