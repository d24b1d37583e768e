"""Style texts that an encoder cannot read, or not to the end."""

from pathlib import Path

import pytest
import yaml

from datamodules.support.errors import AtelierError
from lightning_modules.encoders.bridge import BridgeEncoder
from lightning_modules.encoders.open_clip import OpenCLIPEncoder
from lightning_modules.generators.painter_styles import FAMILIAR, foreign_to, nearest_style
from lightning_modules.steps.style_texts import check_texts

TEXTS = yaml.safe_load((Path(__file__).parents[2] / "data" / "style_texts.yaml").read_text("utf-8"))


def blends_of(*texts):
    return [((1.0, text),) for text in texts]


@pytest.fixture(scope="module")
def bridge():
    return BridgeEncoder()


@pytest.fixture
def clip(tiny_clip):
    return OpenCLIPEncoder("tiny-clip", str(tiny_clip[0]))


@pytest.mark.parametrize("text", ["🔥", "🧊", "炎", "冰", "ไฟ", "огонь", "نار", "🔥🔥 !", "火 ❄️"])
@pytest.mark.parametrize("encoder", ["bridge", "clip"])
def test_a_text_of_which_nothing_is_read_is_refused(request, encoder, text):
    with pytest.raises(AtelierError, match=r"cannot read the style .*; name it in English words"):
        check_texts(request.getfixturevalue(encoder), blends_of("fire", text))


@pytest.mark.parametrize("encoder", ["bridge", "clip"])
def test_a_part_that_is_not_read_is_named(request, encoder, caplog):
    reader = request.getfixturevalue(encoder)
    check_texts(reader, blends_of("fire 🔥, ice"))
    assert caplog.messages == ["'🔥' in the style 'fire 🔥, ice' is not read; use English words"]
    caplog.clear()
    check_texts(reader, blends_of("Café crème, rock'n'roll, 1920s \"déco\" (50% grey)", "Dürer"))
    assert not caplog.messages


def test_the_words_that_clip_cuts_off_are_named(clip, caplog):
    text = " ".join(f"red{chr(97 + k)}" for k in range(26)) + " fire" * 40 + " with golden frames"
    check_texts(clip, blends_of(text))
    (message,) = caplog.messages
    cut = message.partition("does not read: ")[2].strip("'")
    assert text.endswith(cut) and "with golden frames" in cut
    caplog.clear()
    check_texts(clip, blends_of(text.removesuffix(cut).strip()))
    assert not caplog.messages


@pytest.mark.parametrize(("verdict", "text"), [(v, t) for v, texts in TEXTS.items() for t in texts])
def test_the_painter_knows_what_it_has(verdict, text):
    style, _, similarity = nearest_style(text)
    foreign = "differs" if foreign_to(style, text) else "near"
    assert ("rough" if similarity < FAMILIAR else foreign) == verdict
