"""Style texts for training."""

import pytest

from datamodules.support.errors import AtelierError
from datamodules.training.styles import blends

TEXTS = ["fire", "0.7*Van Gogh + 0.3*Hokusai", "fire"]
BLENDS = [((1.0, "fire"),), ((0.7, "Van Gogh"), (0.3, "Hokusai"))]


def test_a_list_and_a_file_give_each_blend_once(tmp_path):
    assert blends(TEXTS) == BLENDS
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(["# styles", "", *TEXTS]), "utf-8")
    assert blends(str(path)) == BLENDS


@pytest.mark.parametrize(
    ("styles", "sentence"),
    [([], "no style"), ([" "], "no style"), ("nowhere.txt", "nowhere.txt"), (["1*a + b"], "'b'")],
)
def test_styles_that_cannot_be_read_are_refused(styles, sentence):
    with pytest.raises(AtelierError, match=sentence):
        blends(styles)
