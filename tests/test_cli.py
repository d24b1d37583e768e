"""The command line as people and scripts use it: a process, its two streams and its exit code."""

import json
import socket
import threading

import numpy as np
import pytest
from PIL import Image
from skimage import data

from datamodules.models.cache import cache_dir
from experiments.run.configuration import config_files
from tests.support.cli import assert_refused, process
from tests.support.finished import SETTINGS

RUN_FILES = {
    "config.yaml",
    "parse.json",
    "mask.png",
    "content.png",
    "output.png",
    "output_enhanced.png",
    "losses.csv",
    "result.json",
}  # and steps/, where a run is long enough, and
FULL = "output_full.png"  # where the photo is larger than the working picture


def test_help_is_a_page_for_people(cli, tmp_path):
    page = cli("--help")
    assert page.returncode == 0
    assert all(name in page.stdout for name in ("stylize", "parse", "mask", "fit", "example:"))
    page = cli("stylize", "--help")
    assert "Give an object in a picture the style" in page.stdout
    assert all(f"--{option}" in page.stdout for option in ("object", "mask", "size", "seed"))


def test_parse_prints_json_alone(cli, tmp_path):
    done = cli("parse", "Turn the white sailboat into a mosaic")
    assert done.returncode == 0
    assert json.loads(done.stdout) == [{"object": "white sailboat", "style": "mosaic"}]
    assert done.stderr == ""


def test_a_model_cache_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = process("parse", "Turn the cat to fire", cwd=tmp_path, ATELIER_CACHE="file/cache")
    assert_refused(done, "set ATELIER_CACHE")


def test_parse_reads_lines_from_stdin_and_answers_each(cli, tmp_path):
    lines = "Turn the cat into a mosaic\n\nPaint the house as a sketch with crayon\n"
    done = cli("parse", "-", stdin=lines)
    first, empty, third = (json.loads(line) for line in done.stdout.splitlines())
    assert first == [{"object": "cat", "style": "mosaic"}]
    assert empty == []
    assert third[0]["object"] == "house"
    assert done.returncode == 2
    assert "line 2" in done.stderr


def test_mask_has_the_pictures_size_and_eight_bits(cli, tmp_path):
    done = cli("mask", "skimage:rocket", "rocket", "-o", "out/rocket.png")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "out/rocket.png\n"
    mask = Image.open(tmp_path / "out" / "rocket.png")
    assert (mask.mode, mask.size) == ("L", (640, 427))
    values = np.asarray(mask)
    assert values[200, 322] > 200
    assert values[30, 30] < 50


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["stylize", "skimage:rocket", "x", "--method", "soulstiler"], "did you mean soulstyler"),
        (["stylize"], "There is no picture"),
        (["stylize", "skimage:rocket", "--target", "fire"], 'write it as "boat=fire"'),
        (["stylize", "skimage:rocket", *["--target", "a=b"] * 2], "names 'a' twice; blend"),
        (["stylize", "skimage:rocket", "--style-image", "x.png"], "no picture at .*x.png"),
        (["stylize", "skimage:rocket", "--method", "gatys"], "no instruction.* --style-image"),
        (["stylize", "skimage:rocket", "--mode", "papr"], "invalid choice: 'papr'"),
        (["compare", "skimage:rocket", "x", "--methods", "semcs"], "did you mean sem_cs"),
        (["compare", "skimage:rocket", "x", "--methods", ","], "--methods names none"),
        (["compare", "skimage:rocket"], "There is no instruction"),
        (
            ["compare", "skimage:rocket", "--target", "a=b", "--target", "c=d"],
            "CLIPstyler gives a style to one region, but 2 are asked for",
        ),
        (["stylize", "skimage:rocket", "x", "--size", "big"], "invalid int .*--help"),
        (["paint", "skimage:rocket"], "invalid choice"),
        (["stylize", "--model.tau", "0.5", "nowhere.png", "x"], "no picture at .*nowhere.png"),
        (["stylize", "skimage:rocket", "--steps", "9", "a", "b"], "unrecognized|takes no word"),
        (["stylize", "--config", "nowhere.yaml"], "no configuration at nowhere.yaml"),
        (["parse", ""], "instruction is empty"),
        (["parse", "word " * 2000], "has 2000 words"),
        (["mask", "nowhere.png", "cat"], "no picture at nowhere.png"),
        (["mask", "skimage:rocket", ""], "No object is named"),
        (["parse", "x", "--loud"], "has no option --loud"),
    ],
)
def test_bad_input_is_said_in_one_line(cli, tmp_path, arguments, sentence):
    assert_refused(cli(*arguments), sentence)
    assert list(tmp_path.iterdir()) == []


TWO = ["--target", "cat=fire", "--target", "dog=ice"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.png", "Turn the cat to fire"], r"no picture at .*nowhere.png"),
        (["skimage:chelsea", "", "--object", "cat"], "There is no instruction"),
        (["skimage:chelsea", "x", "--model.tau", "high"], "tau"),
        (["skimage:chelsea", "x", "--model.tua", "0.5"], "tua"),
        (["skimage:chelsea", "x", "--steps", "0"], "optimise nothing"),
        (["skimage:chelsea", "x", "--device", "gpu"], "[Nn]o supported gpu"),
        (["skimage:chelsea", "x", "--model.coverage", "0"], r"coverage=0.0 must be in \(0, 1\]"),
        (["skimage:chelsea", "x", "--strength", "2"], "strength is 2"),
        (
            ["skimage:chelsea", "x", "--method", "clipstyler", "--background-style", "snow"],
            "CLIPstyler takes one style and none for the background",
        ),
        (["skimage:chelsea", *TWO], "Soulstyler gives a style to one region, but 2 are asked for"),
        (["skimage:chelsea", *TWO, "--method", "sem_cs"], "one object and its background"),
        (["skimage:chelsea", "--style", "fire", "--mask", "MASK", "--out", "file/run"], "--out"),
        (
            ["skimage:chelsea", "--style", "fire", "--mask", "MASK", "--model.memory", "0.1"],
            "GB of memory even in parts, .* free some, or raise --model.memory",
        ),
    ],
)
def test_stylize_refuses_before_it_computes(cli, tmp_path, mask, arguments, sentence):
    (tmp_path / "file").write_text("in the way")
    arguments = [mask if word == "MASK" else word for word in arguments]
    assert_refused(cli("stylize", *arguments, *SETTINGS), sentence)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_stylize_end_to_end(cli, finished_run, tmp_path):
    """Instruction to result.json with every real part, and the same again from its config.yaml."""
    first, done = finished_run
    assert done.returncode == 0, done.stderr
    assert "max error 0 of 255" in done.stdout
    assert "run/output.png" in done.stdout
    assert "mosaic" in done.stderr
    assert {path.name for path in first.iterdir()} == RUN_FILES | {FULL}
    check_full(first)
    result = json.loads((first / "result.json").read_text())
    assert (result["seed"], result["steps"]) == (3, 6)
    assert (result["generator"], result["style_note"]) == ("Painter", "")
    assert 0.7 < result["mask_confidence"]["cat"] <= 1
    assert result["metrics"]["background_max_error"] == 0
    assert {"parse", "mask", "optimise", "score"} <= result["seconds"].keys()
    target = {"object": "cat", "style": "mosaic", "weight": 1.0}
    assert json.loads((first / "parse.json").read_text()) == [target]
    rows = (first / "losses.csv").read_text().splitlines()
    assert rows[0] == "step,total,global,patch,background,content,tv"
    assert len(rows) == 7

    again = cli("stylize", "--config", first / "config.yaml", "--out", "second")
    assert again.returncode == 0, again.stderr
    for name in ("output.png", FULL, "mask.png", "losses.csv"):
        assert (first / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name

    config = (first / "config.yaml", "--out", first)
    assert_refused(cli("stylize", "--config", *config), "already holds a finished run")


def check_full(folder):
    """The photo at its own size, its object painted and its background as it was."""
    photo, full = data.chelsea().astype(float), np.asarray(Image.open(folder / FULL), float)
    assert full.shape == photo.shape
    mask = Image.open(folder / "mask.png").convert("L").resize(photo.shape[1::-1])
    cat, behind = np.asarray(mask) > 250, np.asarray(mask) == 0
    assert np.abs(full - photo)[cat].mean() > 20
    assert (full == photo).all(-1)[behind].mean() > 0.8  # what is left is the soft edge


def test_a_key_reaches_no_file_and_no_stream(cli, tmp_path, mask):
    """A run that asks a dead endpoint, falls back on the rules, and logs to W&B offline."""
    key = "sk-planted-0123456789"
    endpoint = {"model": "m", "base_url": "http://127.0.0.1:9/v1", "retries": 0}
    parser = {
        "class_path": "datamodules.parsing.api.APIParser",
        "init_args": endpoint
        | {"fallback": {"class_path": "datamodules.parsing.rules.RulesParser"}},
    }
    done = cli(
        *["stylize", "skimage:chelsea", "Turn the cat to fire", "--mask", mask, "--steps", 1],
        *["--out", "run", *SETTINGS[:-1], f"--data.parser={json.dumps(parser)}"],
        OPENAI_API_KEY=key,
        WANDB_MODE="offline",
    )
    assert done.returncode == 0, done.stderr
    assert "RulesParser" in json.loads((tmp_path / "run/parse.json").read_text())[0]["parser_note"]
    assert key not in done.stdout + done.stderr
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert any("wandb" in str(path) for path in files)
    assert all(key.encode() not in path.read_bytes() for path in files)


def test_several_objects_leave_a_mask_each(cli, tmp_path, mask):
    settings = ["--method", "fusion", "--steps", 2, "--out", "run", *SETTINGS]
    targets = ["--target", "cat=fire", "--target", "background=0.5*snow + 0.5*ice"]
    done = cli("stylize", "skimage:chelsea", *targets, "--mask", mask, *settings)
    assert done.returncode == 0, done.stderr
    assert "0.5*snow + 0.5*ice" in done.stderr
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == RUN_FILES | {FULL, "mask-1.png", "mask-2.png"}
    masks = [np.asarray(Image.open(tmp_path / "run" / f"mask-{k}.png"), int) for k in (1, 2)]
    assert abs(sum(masks) - 255).max() <= 1
    styles = [target["style"] for target in json.loads((tmp_path / "run/parse.json").read_text())]
    assert styles == ["fire", "snow", "ice"]
    one = ["--object", "cat", "--style", "fire", "--mask", mask, "--overwrite", "--full-size", 0]
    done = cli("stylize", "skimage:chelsea", *one, *settings)
    assert {path.name for path in (tmp_path / "run").iterdir()} == RUN_FILES, done.stderr


def test_compare_shows_every_method_and_does_nothing_twice(cli, tmp_path, mask):
    target = ["skimage:chelsea", "--target", "cat=fire", "--mask", mask, "--out", "out"]
    settings = ["--steps", 2, "--size", 96, "--model.patches.count", 4, "--no-wandb"]
    methods = ["clipstyler", "soulstyler"]
    done = cli("compare", *target, *settings, "--methods", methods[0])
    assert done.returncode == 0, done.stderr
    assert done.stdout == "out/compare.png\n"
    (first,) = (tmp_path / "out/runs").glob("*/result.json")
    made = first.stat().st_mtime_ns
    done = cli("compare", *target, *settings, "--methods", ",".join(methods))
    assert done.returncode == 0, done.stderr
    assert first.stat().st_mtime_ns == made
    scores = json.loads((tmp_path / "out/compare.json").read_text())
    assert list(scores) == methods
    assert tmp_path / "out" / scores["clipstyler"]["run"] == first.parent
    assert scores["soulstyler"]["rest_change"] < scores["clipstyler"]["rest_change"]
    assert scores["soulstyler"]["object_change"] > 0
    sheet = Image.open(tmp_path / "out/compare.png")
    assert sheet.width >= 2 * 96
    assert sheet.height >= 2 * 64
    broken = ["--model.optimizer.lr", "1e30", "--methods", methods[0]]
    failed = cli("compare", *target, *settings, *broken)
    assert failed.returncode == 2
    assert "not finite" in failed.stderr
    assert json.loads((tmp_path / "out/compare.json").read_text()) == scores
    again = cli("compare", *target, *settings, "--methods", methods[0], "--overwrite")
    assert again.returncode == 0, again.stderr
    assert first.stat().st_mtime_ns > made


def test_compare_takes_the_parser_and_the_segmenter_that_stylize_takes(cli, tmp_path):
    words = ["compare", "skimage:chelsea", "Turn the cat to fire", "--methods", "clipstyler"]
    words += ["--parser", "rules", "--steps", 1, "--size", 64, "--model.patches.count", 4]
    words += ["--out", "out", "--no-wandb", "--segmenter"]
    box = {"left": 0, "top": 0, "right": 0.5, "bottom": 1}
    settings = [word for pair in box.items() for word in (f"--data.segmenter.{pair[0]}", pair[1])]
    done = cli(*words, "box", *settings)
    assert done.returncode == 0, done.stderr
    (mask,) = (tmp_path / "out").glob("mask-cat-*.png")
    half = np.asarray(Image.open(mask)) > 127
    assert half[:, : half.shape[1] // 2 - 1].all() and not half[:, half.shape[1] // 2 + 1 :].any()
    done = cli(*words, "whole")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").glob("mask-cat-*.png"))) == 2


def test_fit_is_the_same_run_through_lightnings_command_line(cli, tmp_path, mask):
    configs = [f"--config={file}" for file in config_files("soulstyler", "embedded")]
    done = cli(
        *["fit", *configs, "--data.image", "skimage:chelsea", "--data.style=fire"],
        *[f"--data.mask={mask}", "--data.size=96", "--trainer.max_steps", 2, "--run.out=run"],
        "--wandb.enabled=false",
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "run").iterdir()} == RUN_FILES
    assert len((tmp_path / "run" / "losses.csv").read_text().splitlines()) == 1 + 2


def test_wandb_without_a_key_is_offline_and_connects_to_nothing(tmp_path, mask):
    """Every proxy variable points at a listener that must stay silent."""
    contacts = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        done = threading.Event()

        def listen():
            while not done.is_set():
                try:
                    connection, _ = listener.accept()
                    contacts.append(connection.recv(200))
                    connection.close()
                except TimeoutError:
                    continue

        thread = threading.Thread(target=listen)
        thread.start()
        proxy = f"http://127.0.0.1:{listener.getsockname()[1]}"
        proxies = {f"{name}_PROXY": proxy for name in ("HTTP", "HTTPS", "ALL")}
        proxies |= {name.lower(): proxy for name in proxies}
        run = process(
            *["stylize", "skimage:chelsea", "--style", "fire", "--mask", mask, *SETTINGS[:-1]],
            *["--steps", 2, "--out", "run"],
            cwd=tmp_path,
            **{**proxies, "WANDB_API_KEY": "", "HOME": str(tmp_path), "NO_PROXY": ""},
            ORT_DISABLE_TELEMETRY=None,
            ATELIER_CACHE=str(cache_dir()),  # beside the real HOME
        )
        done.set()
        thread.join()
    assert run.returncode == 0, run.stderr
    assert contacts == []
    assert not list(tmp_path.rglob("deviceid"))  # which telemetry would leave in HOME
    offline = list((tmp_path / "run" / "wandb").glob("offline-run-*"))
    assert len(offline) == 1
    assert len(list(offline[0].rglob("*.png"))) == 3  # content, mask and output
    assert "wandb" not in run.stderr.lower()
