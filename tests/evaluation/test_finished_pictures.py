"""Run folders as they are read for scoring."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.images import load_picture, save_png, to_picture, to_tensor
from datamodules.run_folder import RunFolder
from datamodules.support.errors import AtelierError
from datamodules.task import Area
from evaluation.finished_pictures import find_runs, load, read_run, refuse_full_mask, together
from evaluation.metrics.background import BackgroundPreservation, background_preservation
from evaluation.metrics.change import Change
from evaluation.scoring import evaluate_runs, read_cases
from evaluation.suite import Suite, evaluate
from tests.support.noise_runs import SIZE, TARGETS, result_of, run_folder, scores_of


def test_a_run_is_read_from_its_files(tmp_path):
    targets = [*TARGETS, ("background", "snow")]
    folder = run_folder(tmp_path / "a", targets, data={"source_text": "a House"})
    for k in (1, 2):
        save_png(to_picture(torch.rand(SIZE, SIZE)), folder / f"mask-{k}.png")
    save_png(to_picture(torch.rand(3, SIZE, SIZE)), folder / "steps" / "000020.png")
    case = read_run(folder)
    fire, snow = ((1.0, "fire"),), ((1.0, "snow"),)
    assert case.styles == ((Area("box"), fire), (Area("background"), snow))
    assert (case.source_text, case.encoder, case.size) == ("a House", "bridge-lite0", (SIZE, SIZE))
    loaded = load(case, course=True)
    assert list(loaded.course) == [20]
    assert not torch.equal(loaded.regions[0].mask, loaded.regions[1].mask)
    pictures = together([loaded, loaded])
    assert pictures.content.shape == (2, 3, SIZE, SIZE)
    assert pictures.source_text == "a House"


def test_a_folder_of_another_system_needs_no_config(tmp_path):
    folder = run_folder(tmp_path / "other")
    for name in ("config.yaml", "result.json", "mask.png"):
        (folder / name).unlink()
    (folder / "parse.json").write_text('[{"object": "box", "style": "fire"}]')  # of weight 1
    (case,) = map(read_run, find_runs(tmp_path))
    assert case.mask is None
    assert bool((load(case).mask == 1).all())
    assert scores_of([folder], {"change": Change()})
    assert result_of(folder)["metrics"]["mask_coverage"] == 1


def test_runs_are_found_at_any_depth_once(tmp_path):
    folders = [run_folder(tmp_path / name) for name in ("b/two", "a", "b/one")]
    save_png(Image.new("RGB", (32, 32)), folders[0] / "steps" / "output.png")
    assert find_runs(tmp_path) == sorted(folders)
    assert find_runs(folders[1]) == [folders[1]]
    (tmp_path / "empty").mkdir()
    for path in ("empty", "missing"):
        with pytest.raises(AtelierError, match=r"holds no run|There is no folder"):
            find_runs(tmp_path / path)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda f: (f / "output.png").unlink(), "has no output.png"),
        (lambda f: (f / "mask.png").unlink(), "has no mask.png"),
        (lambda f: (f / "result.json").unlink(), "has not finished"),
        (lambda f: (f / "parse.json").write_text("{"), "parse.json is damaged"),
        (lambda f: (f / "parse.json").write_text('{"a": 1}'), "parse.json is no list"),
        (lambda f: (f / "config.yaml").write_text("a: ]"), "config.yaml is damaged"),
        (lambda f: (f / "output.png").write_bytes(b"no"), "is not a picture"),
        (lambda f: save_png(Image.new("RGB", (70, 64)), f / "output.png"), "70x64 px, but its"),
        (lambda f: run_folder(f, mask="empty"), "is empty"),
        (lambda f: run_folder(f, mask="full"), "is full"),
    ],
)
def test_a_bad_run_is_said_and_the_others_go_on(tmp_path, harm, words):
    bad, good = run_folder(tmp_path / "bad"), run_folder(tmp_path / "good", seed=1)
    harm(bad)
    cases, refusal = [read_run(good)], ""
    try:
        cases.append(read_run(bad))
    except AtelierError as error:
        refusal = str(error)
    outcome = dict(evaluate(cases, Suite({"background": Change()})))
    by_name = {Path(case.name).name: scores for case, scores in outcome.items()}
    assert re.search(words, refusal or by_name["bad"].error)
    assert by_name["good"].values["object_change"] > 0
    assert not RunFolder(bad, strict=False).result.metrics


def test_a_full_mask_is_welcome_where_the_whole_picture_was_meant(tmp_path):
    whole = {"segmenter": {"class_path": "datamodules.segmentation.whole.WholePicture"}}
    folder = run_folder(tmp_path / "a", mask="full", data=whole)
    without_object = run_folder(tmp_path / "b", targets=[("", "fire")], mask="full")
    for each in (folder, without_object):
        refuse_full_mask(load(read_run(each)))
    scores = scores_of([folder], {"background": BackgroundPreservation()})
    assert set(next(iter(scores.values())).values.values()) == {None}


def test_pixels_that_are_no_numbers_are_refused(tmp_path):
    values = np.full((SIZE, SIZE), 0.5, dtype=np.float32)
    Image.fromarray(values).save(tmp_path / "grey.tiff")
    assert np.asarray(load_picture(str(tmp_path / "grey.tiff")))[0, 0].tolist() == [128] * 3
    values[3, 3] = np.nan
    Image.fromarray(values).save(tmp_path / "nan.tiff")
    with pytest.raises(AtelierError, match="NaN or infinite pixels"):
        load_picture(str(tmp_path / "nan.tiff"))


SEGMENTERS = {
    "whole": "datamodules.segmentation.whole.WholePicture",
    "salient": "datamodules.segmentation.spectral.SpectralSegmenter",
    "phrase": "datamodules.segmentation.bridge.BridgeSegmenter",
}


def segmented(folder, kind, mask, **more):
    """A run whose mask a segmenter of this kind has found."""
    return run_folder(
        folder, mask=mask, data={"segmenter": {"class_path": SEGMENTERS[kind]}}, **more
    )


def test_a_whole_picture_has_the_background_around_the_object_of_another_run(tmp_path):
    whole = segmented(tmp_path / "a", "whole", "full")
    segmented(tmp_path / "b", "salient", "box")
    suite = Suite({"background": BackgroundPreservation(), "change": Change()})
    alone = evaluate_runs([tmp_path], suite)
    assert alone.around == 0
    assert result_of(whole)["metrics"]["leakage"] is None
    other = segmented(tmp_path / "c", "phrase", "box")
    together = evaluate_runs([tmp_path], suite)
    assert together.around == 1
    assert together.remarks()[0].startswith("pictures stylized as a whole: 1; their background")
    metrics = result_of(whole)["metrics"]
    assert 0.2 < metrics["leakage"] < 0.9  # and what had no background is measured again
    assert metrics["mask_coverage"] == 1  # the other metrics still mean the whole picture
    assert metrics["rest_change"] is None
    assert result_of(other)["metrics"]["leakage"] == 0
    content, output = (load_picture(str(whole / f"{name}.png")) for name in ("content", "output"))
    mask = load_picture(str(other / "mask.png")).convert("L")
    expected = background_preservation(
        to_tensor(output)[None], to_tensor(content)[None], to_tensor(mask)[None]
    )
    assert metrics["leakage"] == pytest.approx(float(expected["leakage"]))


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},  # another picture
        {"targets": [("sphere", "fire")]},  # another object
        {"kind": "salient"},  # a mask of something else
    ],
)
def test_masks_of_other_tasks_are_not_the_objects(tmp_path, other):
    segmented(tmp_path / "a", "whole", "full")
    segmented(tmp_path / "b", **({"kind": "phrase", "mask": "box"} | other))
    assert [case.object_mask for case in read_cases([tmp_path])[0]] == [None, None]


def test_the_style_does_not_matter_for_the_objects_mask(tmp_path):
    segmented(tmp_path / "a", "whole", "full")
    folder = segmented(tmp_path / "b", "phrase", "box", targets=[("box", "snow")])
    masks = [case.object_mask for case in read_cases([tmp_path])[0]]
    assert masks == [folder / "mask.png", None]
