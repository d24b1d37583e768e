"""`atelier weights`."""

import pytest

from datamodules.models.catalogue import to_fetch
from datamodules.models.published import require
from datamodules.support.errors import AtelierError
from experiments.cli import main

LLAMA = "meta-llama/Llama-2-7b-chat-hf"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fetch"], "Nothing is named to fetch"),
        (["fetch", "torchvision:vgg19"], "HF_HUB_OFFLINE forbids connections"),
        (["fetch", "--method", "soulstiler"], "did you mean soulstyler"),
        (["path"], "No file is named"),
        (["path", "torchvision:vgg19"], "is not NAME=FILE"),
        (["path", "torchvision:vgg19=nowhere.pth"], "nothing at nowhere.pth"),
        (["verify", "torchvision:vgg19"], "is not here; fetch it first"),
        (["fetch", "cris"], "on their authors' page, to which the CRIS repository on GitHub"),
        (["fetch", "cris"], "register the file: atelier weights path cris=FILE"),
        (["verify", "cris"], "cris is not here"),
        (["list", "--loud"], "has no option --loud"),
    ],
)
def test_bad_requests_for_weights_are_one_line(arguments, sentence, capsys, no_network):
    assert main(["weights", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert sentence in captured.err


def test_a_file_that_a_person_has_to_get_is_listed_registered_and_verified(
    tmp_path, capsys, no_network
):
    def answer(*words):
        assert main(["weights", *words]) == 0
        return capsys.readouterr().out

    def row():
        (line,) = [line for line in answer("list").splitlines() if line.split()[:1] == ["cris"]]
        return line.split()

    assert row()[-1] == "no"
    assert "on GitHub" in (page := answer("fetch", "cris", "--dry-run"))
    assert page.endswith("to fetch: 0 files, 0.0 MB\n")
    file = tmp_path / "best_model.pth"
    file.write_bytes(b"x")
    assert answer("path", f"cris={file}") == f"cris  {file}\n"
    assert row()[-1] == "yes"
    assert answer("fetch", "cris") == f"cris  {file}\n"
    assert answer("verify", "cris") == f"cris  no checksum is known  {file}\n"


def test_a_folder_of_the_same_name_does_not_stand_for_weights(tmp_path, monkeypatch, no_network):
    (tmp_path / "cris").mkdir()
    monkeypatch.chdir(tmp_path)
    assert to_fetch("cris") == ["cris"]
    with pytest.raises(AtelierError, match="atelier weights path cris=FILE; without them, -"):
        require("cris", "-")


def test_a_dry_run_lists_files_servers_and_sizes_and_downloads_nothing(at_hub, capsys):
    """A gated model's sizes are no secret."""
    shards = {f"model-{k}-of-2.safetensors": b"x" * 2_000_000 for k in (1, 2)}
    at_hub.repositories[LLAMA] = {"config.json": b"{}", "pytorch_model.bin": b"x", **shards}
    at_hub.gated.add(LLAMA)
    at_hub.files["vgg19-dcbb9e9d.pth"] = b"x" * 500_000
    assert main(["weights", "fetch", "--dry-run", f"hf:{LLAMA}", "torchvision:vgg19"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"hf:{LLAMA}  licence: Llama 2 (gated)",
        f"  config.json from {LLAMA}, revision main: 0.0 MB",
        f"  model-1-of-2.safetensors from {LLAMA}, revision main: 2.0 MB",
        f"  model-2-of-2.safetensors from {LLAMA}, revision main: 2.0 MB",
        "torchvision:vgg19  licence: BSD-3-Clause",
        f"  vgg19-dcbb9e9d.pth from {at_hub.url}/models: 0.5 MB",
        "to fetch: 4 files, 4.5 MB",
    ]
    assert not at_hub.requests_for("/cdn/") and not at_hub.requests_for(
        "/models/vgg"
    ) + at_hub.requests_for("resolve")


def test_a_dry_run_shows_what_is_here_and_goes_on_after_an_unknown_name(at_hub, capsys):
    at_hub.repositories["somebody/tiny"] = {"config.json": b"{}", "model.safetensors": b"x" * 2000}
    assert main(["weights", "fetch", "hf:somebody/tiny"]) == 0
    capsys.readouterr()
    assert main(["weights", "fetch", "--dry-run", "hf:somebody/none", "hf:somebody/tiny"]) == 2
    captured = capsys.readouterr()
    assert "the hub has no repository somebody/none" in captured.err
    first, second, third = captured.out.splitlines()
    assert first == "hf:somebody/tiny" and second.startswith("  is here: ")
    assert third == "to fetch: 0 files, 0.0 MB"


def test_a_dry_run_without_a_connection_says_what_the_libraries_and_the_catalogue_know(
    no_network, capsys
):
    words = ["weights", "fetch", "--dry-run", "--method", "soulstyler"]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  vgg19-dcbb9e9d.pth from https://download.pytorch.org/models: about 575.0 MB" in lines
    (clip,) = [line for line in lines if "open_clip_model.safetensors" in line]
    assert "from timm/vit_base_patch32_clip_224.openai, revision main: about 605.0 MB" in clip
    assert lines[-1] == "to fetch: 4 files, about 15,283.0 MB"
