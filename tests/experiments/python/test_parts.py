"""`atelier.parse` and `atelier.find_mask`, beside the commands."""

import json
from pathlib import Path

import atelier
import numpy as np
import pytest
from PIL import Image
from skimage import data

from datamodules.target_entries import entry_of


def test_an_instruction_has_the_commands_targets(cli):
    text = "Turn everything but the cat to 0.7*fire + 0.3*snow"
    result = cli("parse", "--parser", "rules", text)
    targets = atelier.parse(text, parser="rules")
    assert [entry_of(target) for target in targets] == json.loads(result.stdout)
    with pytest.raises(atelier.AtelierError, match="empty"):
        atelier.parse(" ", "rules")
    with pytest.raises(atelier.AtelierError, match="There is no parser"):
        atelier.parse(text, "rulez")
    with pytest.raises(atelier.AtelierError, match="--base-url"):
        atelier.parse(text, "rules", base_url="http://u")


def test_a_mask_has_the_commands_bytes(cli, tmp_path):
    result = cli("mask", "skimage:rocket", "rocket", "-o", "mask.png")
    with Image.open(Path(data.__file__).parent / "rocket.jpg") as photo:
        mask = atelier.find_mask(photo, "rocket")
    mask.save(tmp_path / "python.png")
    assert (tmp_path / "python.png").read_bytes() == (tmp_path / "mask.png").read_bytes()
    assert mask.line() == result.stderr.strip()
    assert (mask.array.shape, mask.array.dtype) == ((427, 640), np.float32)
    assert mask.array[200, 322] > 0.8
    assert mask.confidence == mask.confidences["rocket"] > 0.5
    assert mask.warnings == ()
    assert mask._repr_png_().startswith(b"\x89PNG")


def test_a_weak_mask_says_so_each_time():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8))
    for _ in range(2):
        with pytest.warns(atelier.AtelierWarning, match="does not look for 'cat'"):
            mask = atelier.find_mask(noise, "cat", segmenter="whole")
        assert len(mask.warnings) == 1
    assert (mask.coverage, mask.confidence) == (1.0, None)


def test_what_is_to_stay_must_be_sure():
    with pytest.raises(atelier.AtelierError, match="looks for no phrase"):
        atelier.find_mask("skimage:rocket", "everything except the rocket", segmenter="whole")
    with pytest.raises(atelier.AtelierError, match="No object is named"):
        atelier.find_mask("skimage:rocket", " ")
