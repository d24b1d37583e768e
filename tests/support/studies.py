"""Helpers of the tests of study."""

import threading

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from evaluation.study import pairs as pairing
from evaluation.study.page import write_study
from evaluation.study.runs import read_works
from evaluation.study.server import StudyServer
from tests.support.run_folders import write_run

SYSTEMS = ("Brushwerk", "Cliptomat", "Glazurit")
PHOTOS = {"lagoon": (64, 48), "chimney": (48, 64)}  # object: the picture's width and height


def picture(size, colours):
    """A smooth picture, so that JPEG keeps it small."""
    x, y = np.meshgrid(*(np.linspace(0, 1, side) for side in size))
    random = np.random.default_rng(colours)
    values = sum(
        wave[:, None, None] * (x, y, x * y)[i] for i, wave in enumerate(random.random((3, 3)))
    )
    return Image.fromarray((values * 85).astype(np.uint8).transpose(1, 2, 0))


def make_run(folder, system, name="lagoon", style="embers", seed=0, **config):
    """A run folder as `atelier stylize` leaves it, as far as a study reads it."""
    size = PHOTOS.get(name, (64, 48))
    output = picture(size, [2, *map(ord, system), seed])
    output.info["pnginfo"] = note = PngImagePlugin.PngInfo()
    note.add_text("comment", f"made by {system}")  # which Pillow would copy into a JPEG
    pictures = {"content.png": picture(size, [1, len(name)]), "output.png": output}
    return write_run(
        folder, pictures, [(name, style)], config={"data": config}, result={"method": system}
    )


@pytest.fixture(scope="session")
def study_runs(tmp_path_factory):
    """Three systems on two photos."""
    root = tmp_path_factory.mktemp("runs")
    for system in SYSTEMS:
        for name in PHOTOS:
            make_run(root / f"folder-{system}-{name}", system, name)
    return root


@pytest.fixture
def study(study_runs, tmp_path):
    """A study's folder: six pairs."""
    write_study(pairing.make_pairs(read_works([str(study_runs)])), tmp_path / "study", seed=0)
    return tmp_path / "study"


@pytest.fixture
def served_study(study):
    """A server of that study in a thread of its own."""
    with StudyServer(study, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
