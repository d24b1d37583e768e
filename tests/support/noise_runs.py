"""Helpers of the tests of evaluate."""

import json

import torch

from datamodules.images import to_picture
from evaluation.finished_pictures import read_run
from evaluation.suite import Suite, evaluate
from tests.support.run_folders import write_run

SIZE = 64
TARGETS = [("box", "fire")]


def run_folder(folder, targets=TARGETS, seed=0, size=SIZE, mask="box", data=None, **result):
    """A finished run as another program might have written it, with noise for pictures."""
    torch.manual_seed(seed)
    content = torch.rand(3, size, size)
    marked = torch.zeros(size, size)
    marked[16:40, 16:40] = 1
    marked = {"box": marked, "full": marked * 0 + 1, "empty": marked * 0}[mask]
    output = content + marked * (torch.rand(3, size, size) - content)
    images = {"content.png": content, "output.png": output, "mask.png": marked}
    return write_run(
        folder,
        {name: to_picture(image) for name, image in images.items()},
        targets,
        config={"seed_everything": seed, "data": data or {"source_text": "a Photo"}},
        result={"encoder": "bridge-lite0", **result},
    )


def result_of(folder):
    return json.loads((folder / "result.json").read_text())


def scores_of(cases, metrics, **settings):
    suite = Suite(metrics)
    return dict(evaluate([read_run(case) for case in cases], suite, **settings))
