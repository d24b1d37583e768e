"""`atelier weights`."""

import pytest

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
        (["list", "--loud"], "has no option --loud"),
    ],
)
def test_bad_requests_for_weights_are_one_line(arguments, sentence, capsys):
    assert main(["weights", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert sentence in captured.err
