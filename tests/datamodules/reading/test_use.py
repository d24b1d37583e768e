"""Files in use: from masks and photos of all kinds to the task, and to the pictures of a run."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data as pictures

from datamodules.images import load_picture, split_alpha, to_picture, to_tensor, with_alpha
from datamodules.reading.masks import mask_files
from datamodules.run_folder import ENHANCED, OUTPUT, RunWriter
from datamodules.support.errors import AtelierError
from evaluation.finished_pictures import load
from evaluation.scoring import loose_case
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.soulstyler import Soulstyler
from lightning_modules.steps.blending import Blending
from tests.support.methods import build_tiny
from tests.support.soulstyler import data

CAT = pictures.chelsea()[:, :450][::3, ::3]  # 150 wide, 100 high
LEFT = np.arange(150)[None].repeat(100, 0) < 75


def saved(folder, values, name="mask.png"):
    Image.fromarray(np.asarray(values).astype(np.uint8)).save(folder / name)
    return str(folder / name)


def prepared(folder, **settings):
    """The data of a photo that is transparent on its right."""
    photo = saved(folder, np.dstack([CAT, 255 * LEFT]), "photo.png")
    module = data(**{"image": photo, "style": "fire", "object": "cat", **settings})
    module.setup()
    return module


def test_a_soft_mask_is_a_region_with_a_strength(tmp_path):
    soft = saved(tmp_path, np.full((60, 90), 64))
    module = data(object="cat", style="fire", mask=soft, feather=2.0)
    module.setup()
    assert module.task.masks.min() == 1
    assert np.allclose(module.task.strength, 64 / 255)
    assert module.task.stylized.mean().item() == pytest.approx(64 / 255)
    method = build_tiny(Soulstyler)
    method.prepare(module.task.batch())
    assert all(len(boxes) for boxes in method.parts[0].by_size)
    content = module.task.batch().content
    changed = Blending(composite=True).blend(1 - content, module.task.batch())
    torch.testing.assert_close(changed, content + 64 / 255 * (1 - 2 * content))


def test_of_two_masks_only_the_soft_one_weakens_the_change(tmp_path):
    soft = saved(tmp_path, np.where(LEFT, np.linspace(40, 250, 150)[None], 0), "soft.png")
    hard = saved(tmp_path, 255 * ~LEFT, "hard.png")
    photo = saved(tmp_path, CAT, "photo.png")
    module = data(image=photo, targets={"cat": "fire", "sky": "ice"}, mask=[soft, hard], size=150)
    module.setup()
    assert torch.equal(module.task.masks[0] > 0.5, torch.from_numpy(LEFT))
    expected = np.where(LEFT, np.linspace(40, 250, 150)[None] // 1 / 255, 1)
    assert np.allclose(module.task.strength, expected, atol=1e-6)


def test_the_value_of_each_mask_can_be_chosen(tmp_path, caplog):
    labels = saved(tmp_path, LEFT + 2 * ~LEFT + 3 * (np.arange(100)[:, None] < 30))
    settings = {"image": saved(tmp_path, CAT, "photo.png"), "targets": {"a": "ice", "b": "fire"}}
    module = data(**settings, mask=[labels, labels], mask_value=["1,4", "2"], size=150)
    module.setup()
    assert torch.equal(module.task.masks[0] > 0.5, torch.from_numpy(LEFT))
    with pytest.raises(AtelierError, match="several values"):
        data(**settings, mask=[labels, labels]).setup()
    with pytest.raises(AtelierError, match="3 values are given for 2 masks"):
        data(**settings, mask=[labels, labels], mask_value=["1", "2", "3"])
    assert [file.value for file in mask_files(["a", "b"], "1")] == ["1", "1"]


def test_a_mask_of_everything_is_warned_of_in_a_run_and_in_an_evaluation(tmp_path, caplog):
    full = saved(tmp_path, np.full((60, 90), 255))
    data(object="cat", style="fire", mask=full).setup()
    assert "covers nearly everything" in caplog.text
    caplog.clear()
    photo = tmp_path / "photo.png"
    load(loose_case(saved(tmp_path, CAT, "photo.png"), photo, tmp_path / "mask.png"))
    assert "covers nearly everything" in caplog.text


def test_an_evaluation_reads_masks_as_a_run_does(tmp_path):
    photo = saved(tmp_path, CAT, "photo.png")
    for values, value in ((LEFT, ""), (np.dstack([CAT, 255 * LEFT]), ""), (5 * LEFT + LEFT, "6")):
        case = loose_case(photo, photo, saved(tmp_path, values), mask_value=value)
        assert np.array_equal(load(case).mask, LEFT)


def test_nothing_is_painted_or_sampled_where_the_photo_is_transparent(tmp_path):
    batch = prepared(tmp_path, feather=3.0, size=96).task.batch()
    clear = batch.strength[0, 0] == 0
    assert clear[:, 51:].all() and not clear[:, :46].any()
    for blending in (Blending(), Blending(composite=True)):
        output = blending.blend(1 - batch.content, batch)
        assert torch.equal(output[..., clear], batch.content[..., clear])
    assert batch.masks[..., clear].max() == 0
    clip = build_tiny(CLIPstyler)
    clip.prepare(batch)
    for part in clip.parts:
        for boxes in part.by_size:
            assert (boxes[:, 0] + boxes[:, 2] <= 51 + 0.2 * boxes[:, 2]).all()


@pytest.mark.parametrize("opacity", [255, 128, 3])
def test_what_is_not_painted_keeps_its_bits_under_any_transparency(opacity):
    photo = Image.fromarray(np.dstack([CAT, np.full(CAT.shape[:2], opacity)]).astype(np.uint8))
    content, alpha = split_alpha(to_tensor(photo))
    assert np.array_equal(np.asarray(to_picture(with_alpha(content, alpha))), np.asarray(photo))


def test_the_pictures_of_a_run_have_the_photos_transparency(tmp_path):
    module = prepared(tmp_path, size=75, full_size=100)
    writer = RunWriter(tmp_path / "run")
    writer.write_task(module.task, "data: {}")
    writer.write_output(1 - module.task.content, module.task.alpha)
    writer.write_step(20, module.task.content, module.task.alpha)
    writer.write_image("output_full.png", module.full.content, module.full.alpha)
    for name in ("content.png", OUTPUT, ENHANCED, "steps/000020.png", "output_full.png"):
        picture = Image.open(tmp_path / "run" / name)
        assert picture.mode == "RGBA" and picture.info == {"srgb": 0}
        alpha = np.asarray(picture.getchannel("A"))
        half = picture.width // 2
        assert alpha[:, : half - 3].min() == 255 and alpha[:, half + 4 :].max() == 0
        if name == "content.png":
            assert load_picture(str(tmp_path / "run" / name)).getpixel((half + 9, 9)) == (255,) * 3
    assert json.loads((tmp_path / "run/parse.json").read_text())
    opaque = Image.open(tmp_path / "run" / "mask.png")
    assert opaque.mode == "L"


def test_an_opaque_photo_gives_opaque_pictures(tmp_path):
    module = data(object="cat", style="fire")
    module.setup()
    assert module.task.alpha is None and module.task.strength is None
    RunWriter(tmp_path).write_output(module.task.content, module.task.alpha)
    assert Image.open(tmp_path / OUTPUT).mode == "RGB"
