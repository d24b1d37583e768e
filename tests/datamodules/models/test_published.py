"""Names and files of published weights."""

import pickle

import pytest
import torch

from datamodules.models import published
from datamodules.models.fetching import altered_files
from datamodules.models.published import load_into
from datamodules.models.schemes import by_name
from datamodules.segmentation.clipseg import CLIPSegSegmenter
from datamodules.segmentation.cris.segmenter import CRISSegmenter
from datamodules.segmentation.fcn import FCNSegmenter
from datamodules.segmentation.features.dino import DINODense
from datamodules.segmentation.grounded import GroundedSegmenter
from datamodules.segmentation.sam3 import SAM3Segmenter
from datamodules.segmentation.spectral import SpectralSegmenter
from datamodules.support.errors import AtelierError
from experiments.cli import main
from lightning_modules.perceptual.vgg import VGGFeatures
from tests.support.segmenter_files import VIT, bright_half
from tests.support.traps import Trap

pytestmark = pytest.mark.usefixtures("no_network")


def test_names_that_mean_nothing_are_said():
    for name in ("vgg19", "clip:ViT", "open_clip:"):
        with pytest.raises(AtelierError, match="is not the name of any weights"):
            by_name(name)
    with pytest.raises(AtelierError, match="'a/b/c' cannot be a repository of the hub"):
        by_name("hf:a/b/c").cached()
    with pytest.raises(AtelierError, match="torchvision has no model 'vgg20'"):
        by_name("torchvision:vgg20").cached()
    with pytest.raises(AtelierError, match="timm has no weights named 'vit_odd'"):
        by_name("timm:vit_odd").cached()


def test_a_registered_file_stands_for_its_name(tmp_path, capsys):
    file = tmp_path / "mine.pth"
    file.write_bytes(b"x")
    assert main(["weights", "path", f"torchvision:vgg19={file}"]) == 0
    assert capsys.readouterr().out == f"torchvision:vgg19  {file}\n"
    assert published.require("torchvision:vgg19", "-") == file
    file.unlink()
    with pytest.raises(AtelierError, match="was registered as"):
        published.require("torchvision:vgg19", "-")


def test_verify_tells_intact_from_altered(tmp_path, capsys):
    from datamodules.support.files import sha256

    cache = tmp_path / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    (cache / "vgg19-dcbb9e9d.pth").write_bytes(b"altered")
    assert main(["weights", "verify", "torchvision:vgg19"]) == 2
    assert "ALTERED" in capsys.readouterr().out
    whole = tmp_path / "x"
    whole.write_bytes(b"content")
    whole = whole.rename(tmp_path / f"model-{sha256(whole)[:8]}.pth")
    assert altered_files(whole) == []
    assert altered_files(tmp_path / "torch") == [cache / "vgg19-dcbb9e9d.pth"]
    (tmp_path / "plain.bin").write_bytes(b"x")
    assert altered_files(tmp_path / "plain.bin") is None


@pytest.fixture
def bare_machine(tmp_path, monkeypatch):
    """A machine without weights and without a connection."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))


LOADERS = {
    "fcn_resnet101": lambda path: FCNSegmenter(str(path)).network,
    "CRIS": lambda path: CRISSegmenter(str(path)).network,
    VIT: lambda path: DINODense(VIT, str(path)).network,
    "VGG-19": lambda path: VGGFeatures(weights=str(path)),
}


@pytest.mark.parametrize("name", LOADERS)
def test_bad_files_are_refused_in_one_sentence(name, tmp_path, vit_file):
    path, marker = tmp_path / "weights.pth", tmp_path / "marker"

    def refused(words: str = "") -> None:
        with pytest.raises(
            AtelierError, match=f"^{path} is no checkpoint of .*{name}.*{words}"
        ) as e:
            LOADERS[name](path)
        assert "\n" not in str(e.value) and "weights_only" not in str(e.value)

    torch.save({"another": torch.zeros(3)}, path)
    refused("another|Missing key|no state_dict")
    path.write_bytes(vit_file.read_bytes()[:100_000])
    refused()
    torch.save([1, 2], path)
    refused()
    path.write_bytes(b"")
    refused()
    torch.save({"weight": Trap(marker)}, path)
    refused("more than tensors")
    path.write_bytes(pickle.dumps(Trap(marker), protocol=2))
    refused("more than tensors")
    assert not marker.exists()
    pickle.loads(path.read_bytes())
    assert marker.exists()  # the trap works


def test_files_of_the_old_format_of_torch_are_read(tmp_path):
    """torchvision publishes such files; they cannot be mapped into memory."""
    source, target = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    path = tmp_path / "old.pth"
    torch.save(source.state_dict(), path, _use_new_zipfile_serialization=False)
    load_into(target, path, "a test")
    assert torch.equal(source.weight, target.weight)


@pytest.mark.parametrize(
    ("segmenter", "name"),
    [
        (FCNSegmenter(), "torchvision:fcn_resnet101"),
        (CLIPSegSegmenter(), "hf:CIDAS/clipseg-rd64-refined"),
        (SAM3Segmenter(), "hf:facebook/sam3"),
        (GroundedSegmenter(), "hf:IDEA-Research/grounding-dino-base"),
        (SpectralSegmenter(DINODense()), "timm:vit_small_patch16_224.dino"),
    ],
)
def test_missing_weights_are_refused_with_the_command_to_fetch_them(segmenter, name, bare_machine):
    with pytest.raises(AtelierError, match=f"atelier weights fetch {name} .*need") as caught:
        segmenter.segment(bright_half(), "cat")
    assert "\n" not in str(caught.value)
