"""Segmenters whose weights no package ships, with tiny, hand-made or untrained networks."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.linalg import eigh
from torch import Tensor
from torch.nn import functional as F

from datamodules.images import load_picture, to_tensor
from datamodules.models.published import load_into
from datamodules.segmentation.box import BoxSegmenter
from datamodules.segmentation.clipseg import CLIPSegSegmenter
from datamodules.segmentation.fcn import FCNSegmenter, voc_class
from datamodules.segmentation.features.dino import DINODense
from datamodules.segmentation.features.efficientnet import EfficientNetDense
from datamodules.segmentation.operations.arrays import fit_array
from datamodules.segmentation.operations.guided_filter import guided_filter
from datamodules.segmentation.spectral import SpectralSegmenter, affinity, fiedler
from datamodules.support.errors import AtelierError
from lightning_modules.perceptual.vgg import VGGFeatures
from tests.support.traps import Trap

VIT = "vit_tiny_patch16_224"  # 22 MB; the architecture of DINO with fewer channels


def coffee(size: int = 128) -> np.ndarray:
    """Picture of a cup, uint8 (H, W, 3)."""
    picture = load_picture("skimage:coffee")
    return np.asarray(picture.resize((size, size * 2 // 3)))


def bright_half() -> Tensor:
    """Picture (3, 64, 96) whose left half is white and whose right half is black."""
    picture = torch.zeros(3, 64, 96)
    picture[..., :48] = 1
    return picture


def bright_is_cat() -> dict[str, Tensor]:
    """State dict of fcn_resnet101 by which every bright pixel is a cat.

    Convolutions compute means and residuals are zero. Expanded scalars keep the file at a few
    kilobytes; it is loaded like the published one of 200 MB.
    """
    from torchvision.models.segmentation import fcn_resnet101

    with torch.device("meta"):
        shapes = fcn_resnet101(weights=None, weights_backbone=None, aux_loss=True).state_dict()
    tensors = {}
    for name, like in shapes.items():
        value = 0.0
        if like.ndim == 4:
            value = 1 / like[0].numel()
        elif name.endswith("running_var") or (name.endswith("weight") and "bn3" not in name):
            value = 1.0
        tensors[name] = torch.tensor(value, dtype=like.dtype).expand(like.shape)
    cat = torch.zeros(21, 512, 1, 1)
    cat[8] = 20 / 512
    return tensors | {"classifier.4.weight": cat}


@pytest.fixture(scope="module")
def fcn_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("fcn") / "fcn.pth"
    torch.save(bright_is_cat(), path)
    return path


@pytest.fixture(scope="module")
def clipseg_folder(tmp_path_factory) -> Path:
    from transformers import (
        CLIPSegConfig,
        CLIPSegForImageSegmentation,
        CLIPSegProcessor,
        CLIPTokenizer,
        ViTImageProcessor,
    )

    folder = tmp_path_factory.mktemp("clipseg")
    tokens = [
        "<|startoftext|>",
        "<|endoftext|>",
        *(c + end for c in "abct" for end in ("", "</w>")),
    ]
    tokenizer = CLIPTokenizer(vocab={token: k for k, token in enumerate(tokens)}, merges=[])
    pictures = ViTImageProcessor(size={"height": 64, "width": 64})
    CLIPSegProcessor(pictures, tokenizer).save_pretrained(folder)
    layers = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2}
    ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    config = CLIPSegConfig(
        text_config=layers
        | ends
        | {"num_hidden_layers": 2, "vocab_size": len(tokens), "max_position_embeddings": 16},
        vision_config=layers | {"num_hidden_layers": 3, "image_size": 64, "patch_size": 16},
        projection_dim=16,
        extract_layers=[0, 1, 2],
        reduce_dim=8,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
    )
    torch.manual_seed(0)
    network = CLIPSegForImageSegmentation(config)
    # Untrained decoders are flat; a few hundred times steeper their outputs span 0 to 1.
    final = network.decoder.transposed_convolution
    torch.nn.init.normal_(final.weight, std=0.3)
    torch.nn.init.zeros_(final.bias)
    network.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def vit_file(tmp_path_factory) -> Path:
    import timm

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("vit") / "vit.pth"
    torch.save(timm.create_model(VIT, num_classes=0).state_dict(), path)
    return path


@pytest.fixture
def bare_machine(tmp_path, monkeypatch):
    """A machine without weights and without a connection."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))


# FCN


def test_fcn_segments_the_class_that_the_phrase_names(fcn_file):
    segmenter = FCNSegmenter(str(fcn_file), size=64)
    mask = segmenter.segment(bright_half(), "the kittens")
    assert mask.shape == (64, 96)
    assert mask.min() >= 0 and mask.max() <= 1
    assert (mask[:, :36] > 0.99).all()
    assert (mask[:, 76:] < 0.1).all()
    with pytest.raises(AtelierError, match=r"No dog was found in the picture.*--mask FILE"):
        segmenter.segment(bright_half(), "dog")


def test_fcn_agrees_with_the_transforms_of_torchvision(fcn_file):
    from torchvision.models.segmentation import FCN_ResNet101_Weights
    from torchvision.transforms.functional import InterpolationMode, resize

    content = to_tensor(load_picture("skimage:coffee"))
    segmenter = FCNSegmenter(str(fcn_file), size=64)
    prepare = FCN_ResNet101_Weights.COCO_WITH_VOC_LABELS_V1.transforms(resize_size=64)
    with torch.no_grad():
        logits = segmenter.network(prepare(content)[None])["out"]
    theirs = resize(logits.softmax(1)[0, 8:9], content.shape[1:], InterpolationMode.BILINEAR)[0]
    torch.testing.assert_close(segmenter.segment(content, "cat"), theirs, atol=1e-4, rtol=0)


def test_fcn_scales_banners_down_to_bound_memory(fcn_file):
    shape = FCNSegmenter(str(fcn_file), size=64)._fit(torch.rand(3, 32, 3200)).shape
    assert shape == (3, 2, 256)


@pytest.mark.parametrize(
    ("phrase", "name"),
    [
        ("The old woman's hat", "person"),
        ("two men", "person"),
        ("people", "person"),
        ("portrait", "person"),
        ("the portrait of a cat", "cat"),
        ("her face", "person"),
        ("a white sailboat on the sea", "boat"),
        ("PLANES", "aeroplane"),
        ("motor bike", "motorbike"),
        ("the bike", "bicycle"),
        ("buses", "bus"),
        ("couches", "sofa"),
        ("a dog on a sofa", "dog"),
        ("a picture of a horse", "horse"),
        ("dining table", "diningtable"),
        ("potted plants", "pottedplant"),
        ("tv", "tvmonitor"),
        ("bus driver", "person"),
    ],
)
def test_everyday_words_name_classes(phrase, name):
    assert voc_class(phrase) == name


@pytest.mark.parametrize("phrase", ["mountain", "carpet", "category", "manhole"])
def test_a_phrase_without_a_class_is_refused_with_the_list_of_classes(phrase):
    with pytest.raises(AtelierError, match=rf'"{phrase}" names no class.*aeroplane.*tvmonitor'):
        FCNSegmenter("untrained").segment(bright_half(), phrase)


def test_fcn_and_clipseg_refuse_an_empty_phrase():
    for segmenter in (FCNSegmenter("untrained"), CLIPSegSegmenter()):
        with pytest.raises(AtelierError, match="No object is named"):
            segmenter.segment(bright_half(), " ")


# CLIPSeg


def probabilities(folder: Path, content: Tensor) -> Tensor:
    """Probabilities (64, 64) of "cat" by the network, without the segmenter."""
    segmenter = CLIPSegSegmenter(str(folder))
    network, processor = segmenter.network
    inputs = processor(text=["cat"], images=[content], return_tensors="pt", do_rescale=False)
    with torch.no_grad():
        return network(**inputs).logits.squeeze().sigmoid()


def test_the_mask_of_clipseg_is_soft_around_its_threshold(clipseg_folder):
    content = to_tensor(load_picture("skimage:coffee"))
    p = probabilities(clipseg_folder, content)
    p = F.interpolate(p[None, None], content.shape[1:], mode="bilinear", antialias=True)[0, 0]
    threshold = float(p.median())
    mask = CLIPSegSegmenter(str(clipseg_folder), threshold).segment(content, "cat")
    assert mask.shape == content.shape[1:]
    assert mask.min() >= 0 and mask.max() <= 1
    clear = (p - threshold).abs() > 5e-3  # the segmenter rounds the picture to 8 bits
    assert torch.equal((mask > 0.5)[clear], (p > threshold)[clear])
    torch.testing.assert_close(mask, (0.5 + (p - threshold) / 0.2).clamp(0, 1), atol=0.05, rtol=0)


def test_clipseg_reads_the_phrase(clipseg_folder):
    middle = float(probabilities(clipseg_folder, bright_half()).median())
    segmenter = CLIPSegSegmenter(str(clipseg_folder), middle)
    cat, other = (segmenter.segment(bright_half(), phrase) for phrase in ("cat", "ab"))
    assert not torch.allclose(cat, other, atol=1e-4)
    assert torch.equal(segmenter.segment(bright_half(), "cat"), cat)
    segmenter.segment(bright_half(), "a cat " * 40)  # more tokens than the network takes


def test_clipseg_refuses_a_phrase_below_its_threshold(clipseg_folder):
    with pytest.raises(AtelierError, match=r'"cat" was not found.*at most 0\.\d\d.*--mask FILE'):
        CLIPSegSegmenter(str(clipseg_folder), 0.9999).segment(bright_half(), "cat")
    with pytest.raises(AtelierError, match=r"\(0, 1\)"):
        CLIPSegSegmenter(threshold=1.5)


def copy_of(folder: Path, to: Path) -> Path:
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


def test_the_folder_of_clipseg_must_be_complete_and_harmless(clipseg_folder, tmp_path):
    folder = copy_of(clipseg_folder, tmp_path)
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()

    def refused() -> bool:
        with pytest.raises(AtelierError, match=f"^{folder} holds no CLIPSeg.*") as caught:
            CLIPSegSegmenter(str(folder)).segment(bright_half(), "cat")
        return "\n" not in str(caught.value)

    weights.write_bytes(whole[: len(whole) // 2])
    assert refused()
    save_file({"another": torch.zeros(3)}, weights, {"format": "pt"})
    assert refused()  # transformers alone would go on with random weights
    weights.unlink()
    assert refused()
    marker = folder / "marker"
    torch.save({"weight": Trap(marker)}, folder / "pytorch_model.bin")
    assert refused()
    assert not marker.exists()


# DINO


def test_the_features_of_dino_are_the_last_keys(vit_file, tmp_path):
    import timm

    picture = coffee()
    maps = DINODense(VIT, str(vit_file), size=128)(picture)
    assert maps.shape == (192, 5, 8)

    published = torch.load(vit_file, weights_only=True)
    network = timm.create_model(VIT, num_classes=0, img_size=(80, 128)).eval()
    filtered = timm.models.vision_transformer.checkpoint_filter_fn(dict(published), network)
    network.load_state_dict(filtered)
    config = network.pretrained_cfg
    mean, std = (torch.tensor(config[name]).view(3, 1, 1) for name in ("mean", "std"))
    image = torch.from_numpy(fit_array(picture, 128, 16)).permute(2, 0, 1) / 255
    with torch.no_grad():
        x = network.patch_embed(((image - mean) / std)[None])
        x = torch.cat([network.cls_token, x], 1) + network.pos_embed
        for block in network.blocks[:-1]:
            x = block(x)
        last = network.blocks[-1]
        keys = F.linear(last.norm1(x), last.attn.qkv.weight[192:384], last.attn.qkv.bias[192:384])
    torch.testing.assert_close(maps.flatten(1).T, keys[0, 1:], atol=1e-3, rtol=1e-3)

    same = tmp_path / "vit.safetensors"
    save_file(published, same)
    assert torch.equal(DINODense(VIT, str(same), size=128)(picture), maps)


def test_dino_loads_a_checkpoint_of_another_grid(tmp_path):
    import timm

    path = tmp_path / "large.pth"
    torch.save(timm.create_model(VIT, num_classes=0, img_size=64).state_dict(), path)
    assert DINODense(VIT, str(path), size=64)(coffee()).shape == (192, 3, 4)


def test_the_model_of_dino_must_be_a_transformer_of_timm():
    for model in ("no_such_model", "resnet18"):
        with pytest.raises(AtelierError, match=model):
            DINODense(model, "untrained")(coffee())


def test_the_spectral_segmenter_cuts_by_dino(vit_file):
    features = DINODense(VIT, str(vit_file), size=256)
    content = torch.full((3, 96, 96), 0.2)
    content[0, 32:64, 32:64] = 1
    mask = SpectralSegmenter(features).segment(content, "")
    assert mask.shape == (96, 96)
    assert mask[48, 48] > 0.5 > mask[5, 5]


# Loading of weights


LOADERS = {
    "fcn_resnet101": lambda path: FCNSegmenter(str(path)).network,
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
    refused("another|Missing key")
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
        (SpectralSegmenter(DINODense()), "timm:vit_small_patch16_224.dino"),
    ],
)
def test_missing_weights_are_refused_with_the_command_to_fetch_them(segmenter, name, bare_machine):
    with pytest.raises(AtelierError, match=f"atelier weights fetch {name} .*need") as caught:
        segmenter.segment(bright_half(), "cat")
    assert "\n" not in str(caught.value)


# The box


def test_a_box_covers_its_shares_of_the_picture(caplog):
    mask = BoxSegmenter(0.25, 0.5, 0.75, 1.0).segment(torch.rand(3, 40, 80), "cat")
    expected = torch.zeros(40, 80)
    expected[20:, 20:60] = 1
    assert torch.equal(mask, expected)
    assert not caplog.text


def test_a_refined_box_follows_the_outline_of_its_object():
    content = torch.full((3, 90, 120), 0.1) + 0.02 * torch.rand(3, 90, 120)
    y, x = torch.meshgrid(torch.arange(90), torch.arange(120), indexing="ij")
    disc = (y - 45) ** 2 + (x - 60) ** 2 < 25**2
    content[0, disc] = 0.9
    mask = BoxSegmenter(0.2, 0.1, 0.8, 0.9, refine=True).segment(content, "disc")
    assert mask.shape == (90, 120)
    assert ((mask > 0.5) == disc).float().mean() > 0.99


def test_the_smallest_box_covers_a_pixel():
    for refine in (False, True):
        mask = BoxSegmenter(0.5, 0.5, 0.5001, 0.5001, refine).segment(torch.rand(3, 40, 40), "")
        assert mask.sum() > 0


@pytest.mark.parametrize(
    "box",
    [(0.5, 0.1, 0.5, 0.9), (0.6, 0.1, 0.5, 0.9), (0.1, 0.1, 50, 0.9), (-0.1, 0, 1, 1)],
)
def test_impossible_boxes_are_refused(box):
    with pytest.raises(AtelierError, match="is no box; give shares"):
        BoxSegmenter(*box)
    with pytest.raises(AtelierError, match="is no box"):
        BoxSegmenter(0, float("nan"), 1, 1)


# The spectral cut


@pytest.mark.parametrize("name", ["chelsea", "coffee"])
def test_the_cut_agrees_with_a_dense_solver(name):
    picture = np.asarray(load_picture(f"skimage:{name}"))
    weights = affinity(EfficientNetDense(256)(picture), picture, 1.0, 10)
    degree = np.sqrt(weights.sum(1))
    normalised = weights / degree[:, None] / degree[None]
    count = len(degree)
    dense = eigh(normalised, subset_by_index=[count - 2, count - 1])[1][:, 0] / degree
    ours = fiedler(weights)
    unit = [cut / np.abs(cut).max() for cut in (ours, dense)]
    assert min(np.abs(unit[0] - unit[1]).max(), np.abs(unit[0] + unit[1]).max()) < 1e-6
    assert np.array_equal(fiedler(weights), ours)


def test_a_disconnected_graph_is_cut_between_its_pieces():
    weights = np.zeros((9, 9))
    weights[:4, :4] = weights[4:, 4:] = 1
    signs = np.sign(fiedler(weights))
    assert (signs[:4] == signs[0]).all() and (signs[4:] == -signs[0]).all()


def test_the_guided_filter_is_a_least_squares_fit_in_each_window():
    rng = np.random.default_rng(0)
    height, width, radius, eps = 7, 9, 2, 1e-2
    guide, mask = rng.random((height, width, 3)), rng.random((height, width))
    fits = np.empty((height, width, 4))
    for i in range(height):
        for j in range(width):
            window = np.s_[max(0, i - radius) : i + radius + 1, max(0, j - radius) : j + radius + 1]
            colours = guide[window].reshape(-1, 3)
            # The ridge as three more rows, one per slope a: sqrt(count eps) a = 0.
            ridge = np.sqrt(len(colours) * eps) * np.eye(3, 4)
            rows = np.vstack([np.column_stack([colours, np.ones(len(colours))]), ridge])
            values = np.concatenate([mask[window].ravel(), np.zeros(3)])
            fits[i, j] = np.linalg.lstsq(rows, values, rcond=None)[0]
    expected = np.empty((height, width))
    for i in range(height):
        for j in range(width):
            window = np.s_[max(0, i - radius) : i + radius + 1, max(0, j - radius) : j + radius + 1]
            expected[i, j] = np.append(guide[i, j], 1) @ fits[window].reshape(-1, 4).mean(0)
    assert np.allclose(guided_filter(guide, mask, radius, eps), expected, atol=1e-10)


def test_the_refined_mask_is_soft_only_at_edges():
    content = to_tensor(load_picture("skimage:coffee"))
    hard = SpectralSegmenter(refine_radius=0).segment(content, "")
    soft = SpectralSegmenter().segment(content, "")
    assert soft.min() >= 0 and soft.max() <= 1
    assert ((hard > 0.5) != (soft > 0.5)).float().mean() < 0.01
    undecided = ((soft > 0.02) & (soft < 0.98)).float().mean()
    assert ((hard > 0.02) & (hard < 0.98)).float().mean() < undecided < 0.1
