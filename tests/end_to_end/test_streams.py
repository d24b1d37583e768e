"""The contract of the process `atelier`: exit codes, stdin, both streams, Ctrl-C, light help.

Everything else about the commands is tested in process, with the fixture `cli`.
"""

import json
import signal
import subprocess
import sys

import pytest

from tests.support.cli import ROOT, assert_refused, process, start
from tests.support.tiny import NETWORKS
from tests.support.waiting import wait_until

# The signals come before anything is scored, so that no real network is needed.
TINY = NETWORKS | {"model.generator": "lightning_modules.generators.pixels.Pixels"}
HEAVY = {"torch", "torchvision", "open_clip", "lightning", "transformers", "timm", "wandb", "PIL"}


LIGHT = {f"{name} --help": f"usage: atelier {name}" for name in ("stylize", "profile", "results")}
LIGHT["weights list"] = "torchvision:vgg19"


@pytest.mark.parametrize("words", LIGHT)
def test_help_and_the_list_of_weights_import_nothing_heavy(words):
    code = (
        "import sys, contextlib\n"
        "from experiments.cli import main\n"
        f"with contextlib.suppress(SystemExit): main({words.split()})\n"
        f"print({HEAVY} & set(sys.modules), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert LIGHT[words] in result.stdout
    assert result.stderr == "set()\n"


def test_a_refusal_is_one_line_on_stderr_and_exit_code_2(tmp_path):
    assert_refused(process("stylize", "nowhere.png", "x", cwd=tmp_path), "no picture at .*nowhere")


def test_results_go_to_stdout_and_talk_to_stderr(tmp_path):
    lines = "Turn the cat into a mosaic\n\nPaint the house as a sketch with crayon\n"
    result = process("parse", "-", "--parser", "rules", cwd=tmp_path, stdin=lines)
    first, empty, third = (json.loads(line) for line in result.stdout.splitlines())
    assert first == [{"object": "cat", "style": "mosaic"}]
    assert empty == []
    assert third[0]["object"] == "house"
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "line 2" in result.stderr


@pytest.mark.parametrize("words", ["sweep threshold --dry-run", "--version", "stylize --help"])
def test_a_reader_that_goes_away_is_no_error(tmp_path, words):
    """As with `atelier sweep threshold --dry-run | head -0`."""
    process = start(*words.split(), cwd=tmp_path)
    process.stdout.close()
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")


@pytest.mark.slow  # 15 s: a process that imports everything
def test_a_sweep_ends_on_sigterm_as_on_ctrl_c(tmp_path, sweep):
    path = sweep({"seed": [0, 1]}, steps=100_000, **TINY)
    process = start("sweep", path, "--serial", "--out", "out", "--no-wandb", cwd=tmp_path)
    try:
        wait_until(lambda: [*tmp_path.glob("out/runs/*/losses.csv")], "no step is done")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 143, errors
    assert errors.splitlines()[-1] == "atelier: terminated"
    assert "Traceback" not in errors
    (run,) = (tmp_path / "out" / "runs").iterdir()
    assert "interrupted after" in (run / "INTERRUPTED.txt").read_text()
    assert not {".lock", "result.json", "failure.json"} & {path.name for path in run.iterdir()}


def test_ctrl_c_leaves_a_folder_that_says_so(tmp_path, mask):
    """12 s: a process that imports everything."""
    words = ["stylize", "skimage:chelsea", "--style", "fire", "--mask", mask, "--size", 96]
    words += ["--model.patches.count", 6, "--steps", 100_000, "--out", "run", "--no-wandb"]
    words += [word for name, value in TINY.items() for word in (f"--{name}", value)]
    process = start(*words, cwd=tmp_path)
    try:
        wait_until((tmp_path / "run" / "losses.csv").exists, "no step is done")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"INTERRUPTED.txt", "losses.csv", "config.yaml"} <= left
    assert not {"result.json", "output.png"} & left
    assert "interrupted after" in (tmp_path / "run" / "INTERRUPTED.txt").read_text()
