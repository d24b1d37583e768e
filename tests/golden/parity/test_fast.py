"""Feed-forward networks against those of the published codes, on the recipe's weights.

The weights are loaded from files of the published form, by the code that loads the papers' own.
"""

import pytest
import torch

from datamodules.support.errors import AtelierError
from lightning_modules.generators.adain import AdaINPair
from lightning_modules.generators.fast_painter import FastPainter
from lightning_modules.losses.content import content_loss
from lightning_modules.perceptual.adain import AdaINFeatures
from tests.golden.parity.published import fast_weights, golden
from tests.support.decoders import learning
from tests.support.tiny import TinyEncoder


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A torch file for each published network, by the prefix of its keys."""
    folder = tmp_path_factory.mktemp("fast")
    for network in ("vgg", "decoder", "ghiasi", "text", "edge"):
        torch.save(fast_weights(network), folder / f"{network}.pth")
    return {path.stem: str(path) for path in folder.iterdir()}


def fast_painter(files, network, width, hidden):
    encoder = TinyEncoder()
    return FastPainter(encoder, width, hidden, files[network], files["ghiasi"], smooth=False)


NETWORKS = [("text", 512, (256, 256, 150, 150)), ("edge", 768, (512, 256, 256, 150, 150))]


@pytest.mark.parity("FastCLIPstyler, text network")
@pytest.mark.parametrize(("network", "width", "hidden"), NETWORKS)
def test_a_text_embedding_has_the_published_style_code(files, network, width, hidden, agree):
    recorded, prefix = golden("fast"), "edge_" if network == "edge" else ""
    generator = fast_painter(files, network, width, hidden)
    text = recorded["edge_text" if prefix else "text"]
    agree(generator.network(text), recorded[f"{prefix}style_code"], within=1e-6)


@pytest.mark.parity("FastCLIPstyler, painter")
@pytest.mark.parametrize(("size", "name"), [((64, 80), ""), ((48, 52), "_48x52")])
def test_a_style_code_paints_the_published_picture(files, size, name, agree):
    recorded, (height, width) = golden("fast"), size
    content = recorded["fast_input"][None, :, :height, :width]
    generator = fast_painter(files, *NETWORKS[0])
    painted = generator.paint(content, recorded["style_code"][None])
    agree(painted[0], recorded[f"ghiasi_output{name}"], within=1e-5)


@pytest.mark.parity("FastCLIPstyler, painter")
def test_a_picture_of_any_size_is_painted_as_one_that_was_continued_by_its_last_pixels(files):
    generator, code = fast_painter(files, *NETWORKS[0]), golden("fast")["style_code"][None]
    content = golden("fast")["fast_input"][None, :, :46, :51]
    larger = torch.nn.functional.pad(content, (0, 1, 0, 2), mode="replicate")
    whole = generator.paint(larger, code)
    torch.testing.assert_close(generator.paint(content, code), whole[..., :46, :51])


def test_the_papers_painter_reads_no_style_picture_and_its_network_no_other_embedding(files):
    with pytest.raises(AtelierError, match="leave --style-image out"):
        fast_painter(files, *NETWORKS[0]).check([], picture=True)
    with pytest.raises(AtelierError, match="no checkpoint of a text network of FastCLIPstyler"):
        FastPainter(TinyEncoder(), weights=files["text"])
    with pytest.raises(AtelierError, match="no checkpoint of Ghiasi's painter"):
        FastPainter(TinyEncoder(), painter=files["text"], weights="untrained")


@pytest.fixture
def decoders(files):
    """CLIPstyler's fast network before its first step: AdaIN's decoder for a new text."""
    return learning("fire", pair=AdaINPair(files["vgg"], files["decoder"]))


@pytest.mark.parity("CLIPstyler's fast mode, network")
def test_the_encoder_has_the_published_maps(decoders, agree):
    recorded = golden("fast")
    (maps,) = decoders.pair.encode(recorded["fast_input"][None])
    agree(maps[::16], recorded["fast_relu4_1_sample"], within=1e-5)


@pytest.mark.parity("CLIPstyler's fast mode, network")
def test_a_decoder_paints_the_published_picture(decoders, agree):
    recorded = golden("fast")
    content = recorded["fast_input"][None]
    style = decoders.texts(["fire"])
    largest = recorded["fast_output"].abs().max()
    output = decoders.paint(content, style)[0]
    agree(output / largest, recorded["fast_output"] / largest, within=1e-5)
    with torch.no_grad():
        picture = decoders.paint(content, style)[0]
    assert torch.equal(picture, output.clamp(0, 1))


@pytest.mark.parity("CLIPstyler's fast mode, network")
def test_the_content_loss_is_the_published_one(files, decoders, agree):
    recorded, features = golden("fast"), AdaINFeatures(files["vgg"])
    content = recorded["fast_input"][None]
    output = decoders.paint(content, decoders.texts(["fire"]))
    agree(content_loss(features(output), features(content)), recorded["fast_content_loss"], 1e-5)
