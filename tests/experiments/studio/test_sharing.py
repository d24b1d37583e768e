"""The public address: Gradio's tunnel, around a stand-in for the program that it downloads."""

import argparse
from pathlib import Path

import pytest

from datamodules.support.errors import AtelierError
from datamodules.support.files import sha256
from experiments.studio.sharing import sharing

pytest.importorskip("gradio", reason="needs the extra [studio]")
pytestmark = pytest.mark.xdist_group("gradio")  # one worker imports it, which takes seconds
ADDRESS = "https://0123.share.example"
PROGRAM = f"#!/bin/sh\necho $$ $@ >words\necho start proxy success: {ADDRESS}\nexec sleep 300\n"


@pytest.fixture
def program(tmp_path, monkeypatch):
    """The tunnel's program, which opens no tunnel; in an empty folder."""
    from gradio import networking, tunneling

    file, folder = tmp_path / "frpc", tmp_path / "here"
    file.write_text(PROGRAM)
    file.chmod(0o755)
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(tunneling, "BINARY_PATH", str(file))
    monkeypatch.setattr(tunneling, "BINARY_FOLDER", tmp_path)
    monkeypatch.setattr(tunneling, "BINARY_URL", "http://127.0.0.1:9/frpc")  # nothing listens
    monkeypatch.setattr(tunneling, "CHECKSUMS", {"http://127.0.0.1:9/frpc": sha256(file)})
    monkeypatch.setattr(networking, "GRADIO_SHARE_SERVER_ADDRESS", "127.0.0.1:9")
    return file


def test_a_page_has_a_public_address_until_its_server_ends(program, capfd):
    with sharing("127.0.0.1", 7861) as address:
        assert address == ADDRESS
        pid, *words = program.parent.joinpath("here", "words").read_text().split()
        assert words[words.index("-l") + 1] == "7861"
        assert Path(f"/proc/{pid}").exists()
    assert not Path(f"/proc/{pid}").exists()
    assert [file.name for file in program.parent.joinpath("here").iterdir()] == ["words"]
    assert capfd.readouterr().out == ""


def test_a_program_with_other_bytes_is_not_started(program):
    program.write_text(PROGRAM + "# altered\n")
    with pytest.raises(AtelierError, match=r"no public address .*damaged"), sharing("::1", 1):
        pass
    assert not program.exists() and not program.parent.joinpath("here", "words").exists()


def test_without_a_network_one_sentence_says_so(program):
    program.unlink()
    why = r"no public address .*refused.*needs the network"
    with pytest.raises(AtelierError, match=why), sharing("127.0.0.1", 1):
        pass


def test_the_command_shares_nothing_where_connections_are_forbidden(cli):
    done = cli("studio", "--share", HF_HUB_OFFLINE="1")
    assert done.returncode == 2
    assert "--share needs the network, and HF_HUB_OFFLINE forbids its use" in done.stderr


def test_who_opens_the_page_to_others_is_warned():
    from experiments.commands.studio import add_arguments, warnings

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert not [*warnings(parser.parse_args([]))]
    lan, public = warnings(parser.parse_args(["--host=0.0.0.0", "--share"]))
    assert "other machines can reach this page over plain HTTP, and nobody is asked" in lan
    assert "pictures pass through servers of Gradio's makers" in public and "--auth" in public
    (with_auth,) = warnings(parser.parse_args(["--share", "--auth=people.txt"]))
    assert "nobody is asked" not in with_auth
