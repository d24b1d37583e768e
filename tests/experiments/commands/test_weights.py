"""`atelier weights`."""

import pytest

from datamodules.models.catalogue import to_fetch
from datamodules.models.published import require
from datamodules.support.errors import AtelierError
from experiments.cli import main

pytestmark = pytest.mark.usefixtures("no_network")


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
def test_bad_requests_for_weights_are_one_line(arguments, sentence, capsys):
    assert main(["weights", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert sentence in captured.err


def test_a_file_that_a_person_has_to_get_is_listed_registered_and_verified(tmp_path, capsys):
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


def test_a_folder_of_the_same_name_does_not_stand_for_weights(tmp_path, monkeypatch):
    (tmp_path / "cris").mkdir()
    monkeypatch.chdir(tmp_path)
    assert to_fetch("cris") == ["cris"]
    with pytest.raises(AtelierError, match="atelier weights path cris=FILE; without them, -"):
        require("cris", "-")
