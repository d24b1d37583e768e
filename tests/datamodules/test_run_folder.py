"""The run folder: what is written is read again, and what is damaged is refused or left out."""

import json
import subprocess
import sys
from dataclasses import fields, replace

import pytest
import torch
from PIL import Image

from datamodules.run_folder import (
    CONFIG,
    JOB,
    LOSSES,
    PARSE,
    RESULT,
    RunFolder,
    RunWriter,
)
from datamodules.run_records import FORMAT, FailureRecord, JobRecord, Result
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget, StyleTask
from tests.support.run_folders import write_run

TARGETS = (StyleTarget("background", "snow"), StyleTarget("boat", "fire", 0.5, ("sail", "mast")))


def task(targets=TARGETS):
    masks = torch.zeros(len(targets), 40, 48)
    for k, mask in enumerate(masks):
        mask[:, 24 * k : 24 * k + 24] = 1
    return StyleTask.of(torch.rand(3, 40, 48), targets, masks, parse_note="guessed")


def test_everything_that_is_written_can_be_read_again(tmp_path):
    writer, run = RunWriter(tmp_path / "run"), RunFolder(tmp_path / "run")
    writer.write_task(task(), "data:\n  image: boat.png\n")
    writer.write_losses([{"total": 2.0, "tv": 1.0}, {"total": 1.0, "tv": 0.5}])
    writer.write_job(JobRecord("1", "demo", {"seed": 1}, command="atelier", started=2.5))
    writer.write_failure(FailureRecord("no memory", 2))
    assert not run.finished
    result = Result(method="CLIPstyler", seed=3, metrics={"change": None}, seconds={"load": 1.0})
    writer.write_result(result)
    assert run.finished
    assert replace(run.result, sha256={}) == result
    assert run.result.sha256.keys() == {"content.png", "mask.png"}
    assert run.targets == TARGETS
    assert [area.name for area in run.styles] == [
        "boat except the sail and the mast",
        "background",
    ]
    assert [path.name for path in run.masks] == ["mask-1.png", "mask-2.png"]
    assert run.setting("data.image") == "boat.png"
    assert run.setting("data.image.name") is None
    assert run.losses == {"step": [0, 1], "total": [2, 1], "tv": [1, 0.5]}
    assert (run.job.labels, run.job.started, run.failure.tries) == ({"seed": 1}, 2.5, 2)
    assert json.loads((run.path / PARSE).read_text())[0]["parser_note"] == "guessed"


def test_a_region_keeps_its_own_mask_whatever_the_order_of_the_targets():
    boat, background = task().regions
    assert (boat.area.object, background.area.object) == ("boat", "background")
    assert boat.mask[:, :24].min() == background.mask[:, 24:].min() == 1


def test_a_task_whose_regions_are_not_those_of_its_targets_is_refused():
    one = task()
    with pytest.raises(ValueError, match="not those of the targets"):
        StyleTask(one.content, TARGETS[:1], one.regions)


def test_masks_of_an_earlier_run_with_more_regions_do_not_stay(tmp_path):
    RunWriter(tmp_path).write_task(task(), "")
    RunWriter(tmp_path).write_task(task((StyleTarget("boat", "fire"),)), "")
    assert RunFolder(tmp_path).masks == ()
    assert not list(tmp_path.glob("mask-*.png"))


def test_outcomes_of_an_earlier_run_are_cleared_and_its_inputs_stay(tmp_path):
    writer = RunWriter(tmp_path)
    writer.write_task(task(), "")
    writer.write_losses([{"total": 1.0}])
    writer.write_stopped(KeyboardInterrupt(), steps=1)
    writer.write_result(Result())
    writer.clear(finished=True)
    names = sorted(path.name for path in tmp_path.iterdir())
    inputs = "config.yaml content.png mask-1.png mask-2.png mask.png parse.json"
    assert names == inputs.split()


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        (CONFIG, "a: [", lambda run: run.config),
        (CONFIG, "- a list", lambda run: run.config),
        (PARSE, '{"object": "cat"}', lambda run: run.targets),
        (PARSE, '[{"object": "cat", "style": 3}]', lambda run: run.targets),
        (PARSE, '[{"object": "cat", "style": "x", "weight": -1}]', lambda run: run.targets),
        (PARSE, '[{"object": "cat", "style": "x", "except": "ear"}]', lambda run: run.targets),
        (PARSE, '[{"object": "cat"', lambda run: run.targets),
        (LOSSES, "a,b\n1,2\n", lambda run: run.losses),
        (RESULT, '{"metrics": []}', lambda run: run.result),
        (RESULT, f'{{"format": {FORMAT + 1}}}', lambda run: run.result),
        (RESULT, "[]", lambda run: run.result),
        (JOB, '{"labels": 3}', lambda run: run.job),
    ],
)
def test_a_damaged_file_is_refused_by_name_or_left_out(tmp_path, name, text, read):
    (tmp_path / name).write_text(text)
    with pytest.raises(AtelierError, match=name):
        read(RunFolder(tmp_path))
    empty = read(RunFolder(tmp_path / "nowhere"))
    assert read(RunFolder(tmp_path, strict=False)) == empty
    assert not empty or empty == type(empty)()


def test_a_result_of_a_later_version_is_refused_in_one_sentence(tmp_path):
    RunWriter(tmp_path).write_result(Result(format=FORMAT + 1, method="CLIPstyler"))
    with pytest.raises(AtelierError) as refusal:
        RunFolder(tmp_path).result  # noqa: B018
    assert str(refusal.value) == (
        f"{tmp_path / RESULT} has format 2, and this version of Atelier reads formats up to 1; "
        "update Atelier"
    )


def test_scores_are_added_without_loss_of_what_another_system_wrote(tmp_path):
    (tmp_path / RESULT).write_text('{"method": "theirs", "note": [1]}')
    RunWriter(tmp_path).update_result({"metrics": {"change": 0.5}})
    raw = json.loads((tmp_path / RESULT).read_text())
    assert raw == {"format": 1, "method": "theirs", "note": [1], "metrics": {"change": 0.5}}


def test_every_entry_of_the_result_is_written(tmp_path):
    RunWriter(tmp_path).write_result(Result())
    assert list(json.loads((tmp_path / RESULT).read_text())) == [f.name for f in fields(Result)]


def test_folders_are_read_without_torch():
    code = "import sys, datamodules.run_folder; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "result.json is empty"),
        (b"{}", "result.json is empty"),
        (b'{"method": "CLIP', "result.json is damaged"),
        (b"\xff\x00", "result.json is damaged"),
        (b'{"metrics": [1]}', "result.json is damaged"),
        (b'{"method": "CLIPstyler"}', "has no output.png"),
    ],
)
def test_a_result_that_cannot_be_used_says_why(tmp_path, content, words):
    (tmp_path / RESULT).write_bytes(content)
    run = RunFolder(tmp_path, strict=False)
    assert run.finished
    assert words in run.damage


def test_a_picture_that_is_not_the_one_of_the_run_is_noticed(tmp_path):
    picture = Image.new("RGB", (8, 8))
    pictures = {"content.png": picture, "output.png": picture}
    run = RunFolder(write_run(tmp_path, pictures, result={"method": "CLIPstyler"}))
    assert (run.damage, run.altered) == ("", [])
    Image.new("RGB", (8, 8), "red").save(tmp_path / "output.png")
    (tmp_path / "content.png").unlink()
    assert run.altered == ["content.png", "output.png"]


def test_files_that_a_dead_writer_left_are_removed_by_the_next(tmp_path):
    (tmp_path / f".{'0a' * 16}.png").write_bytes(b"half")
    (tmp_path / ".lock").touch()
    RunWriter(tmp_path).clear(finished=True)
    assert [file.name for file in tmp_path.iterdir()] == [".lock"]
