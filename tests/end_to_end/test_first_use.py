"""The papers' networks on a new machine: fetch from a hub, then a run, as a person types it."""

import json
import os
import pty
import signal
import subprocess
import termios
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from tests.support.cli import command, process, start, variables
from tests.support.waiting import wait_until

DATA = Path(__file__).parents[1] / "data"
CLIP = "timm/vit_base_patch32_clip_224.openai"
LLAMA = "meta-llama/Llama-2-7b-chat-hf"
SOULSTYLER = ("--method", "soulstyler")
RUN = ("skimage:chelsea", "Turn the cat to fire", *SOULSTYLER, "--models", "paper", "--no-wandb")
SMALL = ("--size", "64", "--model.patches.count", "4", "--run.keep_every", "1", "--out", "run")


def clip_file():
    """CLIP ViT-B/32 in open_clip's format and full size, in float16: 4096 random numbers, again."""
    import open_clip
    from safetensors.torch import save

    network = open_clip.create_model("ViT-B-32-quickgelu", load_weights=False, device="meta")
    values = 0.02 * torch.randn(4096, generator=torch.Generator().manual_seed(0))
    state = network.state_dict()
    return save({name: repeated(values.half(), tensor.shape) for name, tensor in state.items()})


def repeated(values, shape):
    times = -(-shape.numel() // len(values))
    return values.repeat(times)[: shape.numel()].view(shape)


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def papers_hub(hub, llama, clipseg_folder):
    """All that Soulstyler needs: CLIP at full size, the others in small; Llama is gated."""
    hub.repositories = {
        CLIP: {"open_clip_model.safetensors": clip_file()},
        LLAMA: files_of(llama),
        "CIDAS/clipseg-rd64-refined": files_of(clipseg_folder),
    }
    hub.gated = {LLAMA}
    hub.files = {file.name: file.read_bytes() for file in DATA.glob("vgg19-*.pth")}
    return hub


@pytest.mark.slow
def test_the_papers_networks_are_fetched_and_take_their_first_step(papers_hub, tmp_path):
    """From empty caches; 50 s on one idle core, above all CLIP's 160 prompts at full size."""
    environment = papers_hub.environment(tmp_path) | {"HF_TOKEN": papers_hub.member}
    fetch = process("weights", "fetch", *SOULSTYLER, cwd=tmp_path, **environment)
    assert fetch.returncode == 0, fetch.stderr
    assert [line.split("  ")[0] for line in fetch.stdout.splitlines()] == [
        "open_clip:ViT-B-32-quickgelu/openai",
        "torchvision:vgg19",
        f"hf:{LLAMA}",
        "hf:CIDAS/clipseg-rd64-refined",
    ]
    papers_hub.requests.clear()
    run = start("stylize", *RUN, *SMALL, cwd=tmp_path, **environment)
    first = tmp_path / "run" / "steps" / "000001.png"
    wait_until(lambda: first.exists() or run.poll() is not None, "the first step")
    run.send_signal(signal.SIGINT)  # the scores would take as long again
    stdout, stderr = run.communicate(timeout=60)
    assert first.exists(), stderr
    assert "by CLIPSegSegmenter, covers" in stderr
    assert json.loads((tmp_path / "run" / "parse.json").read_text())
    assert papers_hub.requests == []  # everything was there
    assert papers_hub.member not in fetch.stdout + fetch.stderr + stdout + stderr


def test_a_download_draws_its_progress_on_a_terminal(hub, tmp_path):
    hub.repositories["somebody/tiny"] = {"model.safetensors": b"x" * 3_000_000}
    words = command("weights", "fetch", "file:somebody/tiny/model.safetensors")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))  # a new one has no columns at all
    environment = variables(**hub.environment(tmp_path))
    with subprocess.Popen(words, env=environment, stderr=theirs, stdout=subprocess.PIPE) as process:
        os.close(theirs)
        screen = b""
        with suppress(OSError):  # the end of a terminal
            while piece := os.read(ours, 1000):
                screen += piece
        stdout = process.stdout.read()
    os.close(ours)
    assert b"3.00M" in screen and b"100%" in screen, screen
    assert stdout.startswith(b"file:somebody/tiny/model.safetensors  ")
    assert stdout.count(b"\n") == 1
