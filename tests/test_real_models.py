"""The papers' models, proven on small checkpoints of the same format."""

import json
import math
import os
import pickle

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers import models as tokenizer_models
from torch.nn import functional as F

from datamodules.models import published
from datamodules.models.schemes import by_name
from datamodules.parsing import language_models
from datamodules.parsing.llm import LLMParser
from datamodules.segmentation.features.dino import DINODense
from datamodules.segmentation.spectral import SpectralSegmenter
from datamodules.stylization import StylizationDataModule
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget, StyleTask
from experiments.cli import main
from experiments.run.configuration import compose
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.encoders.open_clip import OpenCLIPEncoder
from lightning_modules.generators.stylenet import StyleNet
from lightning_modules.perceptual.vgg import VGGFeatures
from lightning_modules.sem_cs import SemCS
from lightning_modules.steps.patches import Patches
from tests.support.methods import descend
from tests.support.traps import Trap

pytestmark = pytest.mark.usefixtures("no_network")

TINY_CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 64,
        "heads": 1,
        "layers": 1,
    },
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Name, tag and checkpoint of a small CLIP that open_clip knows."""
    import open_clip

    folder = tmp_path_factory.mktemp("clip")
    (folder / "tiny-clip.json").write_text(json.dumps(TINY_CLIP))
    open_clip.add_model_config(folder / "tiny-clip.json")
    torch.manual_seed(0)
    model = open_clip.create_model("tiny-clip", load_weights=False)
    torch.save(model.state_dict(), folder / "tiny.pt")
    return folder / "tiny.pt", model.eval()


@pytest.fixture(scope="module")
def byte_tokenizer(tmp_path_factory):
    """A tokenizer of single bytes, in the format of the hub."""
    from transformers import PreTrainedTokenizerFast

    symbols = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "<s>", "</s>"]
    vocabulary = {symbol: index for index, symbol in enumerate(symbols)}
    tokenizer = Tokenizer(tokenizer_models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    folder = tmp_path_factory.mktemp("tokenizer")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>"
    ).save_pretrained(folder)
    return folder


def into_hub_cache(root, repository, files):
    """Lay files out as the hub's cache does."""
    base = root / "hub" / f"models--{repository.replace('/', '--')}"
    (base / "refs").mkdir(parents=True)
    (base / "refs" / "main").write_text("abc")
    folder = base / "snapshots" / "abc"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


# Encoders.


def test_an_open_clip_checkpoint_is_the_librarys_model(tiny):
    path, model = tiny
    encoder = OpenCLIPEncoder("tiny-clip", str(path))
    assert encoder.image_size == 32
    pictures = torch.rand(3, 3, 32, 32)
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)
    with torch.no_grad():
        expected = F.normalize(model.encode_image((pictures - mean) / std), dim=-1)
        torch.testing.assert_close(encoder.embed_images(pictures), expected)
        words = encoder.tokenizer(["fire", "ice"])
        expected = F.normalize(model.encode_text(words), dim=-1)
    torch.testing.assert_close(encoder.embed_texts(["fire", "ice"]), expected)


def test_frozen_means_frozen(tiny):
    encoder = OpenCLIPEncoder("tiny-clip", str(tiny[0]))
    pictures = torch.rand(2, 3, 32, 32, requires_grad=True)
    encoder.embed_images(pictures).sum().backward()
    assert pictures.grad.abs().sum() > 0
    parameters = [*encoder.parameters()]
    assert parameters
    assert all(p.grad is None and not p.requires_grad for p in parameters)


def test_a_file_is_loaded_once_for_all_that_hold_its_network(tiny, tmp_path):
    path, model = tiny
    first, second = (OpenCLIPEncoder("tiny-clip", str(path)) for _ in range(2))
    assert first.network is second.network
    copy = tmp_path / "other.pt"
    torch.save(model.state_dict(), copy)
    before = OpenCLIPEncoder("tiny-clip", str(copy)).network
    assert before is not first.network
    changed = {name: value * 2 for name, value in model.state_dict().items()}
    torch.save(changed, copy)
    os.utime(copy, (0, 0))  # another time than before, however coarse the clock
    after = OpenCLIPEncoder("tiny-clip", str(copy)).network
    assert not torch.equal(after.visual.proj, before.visual.proj)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_half_precision_on_a_gpu_agrees_with_the_processor(tiny):
    pictures = torch.rand(3, 3, 32, 32)
    encoder = OpenCLIPEncoder("tiny-clip", str(tiny[0]))
    expected = encoder.embed_images(pictures)
    ours = encoder.cuda().embed_images(pictures.cuda())
    assert ours.dtype == torch.float32
    assert F.cosine_similarity(ours.cpu(), expected).min() > 0.999


def test_a_tag_is_found_in_the_hubs_cache(tiny, tmp_path, monkeypatch):
    from open_clip import pretrained
    from safetensors.torch import save

    entry = {"hf_hub": "somebody/tiny/", "mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}
    monkeypatch.setitem(pretrained._PRETRAINED, "tiny-clip", {"test": entry})
    with pytest.raises(AtelierError, match="atelier weights fetch open_clip:tiny-clip/test"):
        OpenCLIPEncoder("tiny-clip", "test")
    state = {k: v.contiguous() for k, v in torch.load(tiny[0], weights_only=True).items()}
    into_hub_cache(tmp_path, "somebody/tiny", {"open_clip_model.safetensors": save(state)})
    encoder = OpenCLIPEncoder("tiny-clip", "test")
    assert encoder.mean.flatten().tolist() == [0.5] * 3  # the tag's own statistics
    assert encoder.std.flatten().tolist() == [0.25] * 3
    torch.testing.assert_close(
        encoder.network.state_dict()["visual.proj"], tiny[1].state_dict()["visual.proj"]
    )


def test_siglips_tokenizer_comes_from_the_cache(byte_tokenizer, tmp_path):
    import open_clip

    config = json.loads(json.dumps(TINY_CLIP))
    config["custom_text"] = True
    config["text_cfg"] |= {"hf_tokenizer_name": "somebody/words", "vocab_size": 300}
    config["text_cfg"]["context_length"] = 16
    (tmp_path / "tiny-siglip.json").write_text(json.dumps(config))
    open_clip.add_model_config(tmp_path / "tiny-siglip.json")
    with pytest.raises(AtelierError, match="atelier weights fetch tokenizer:somebody/words"):
        OpenCLIPEncoder("tiny-siglip", "untrained")
    files = {file.name: file.read_bytes() for file in byte_tokenizer.iterdir()}
    into_hub_cache(tmp_path, "somebody/words", files)
    encoder = OpenCLIPEncoder("tiny-siglip", "untrained")
    embedded = encoder.embed_texts(["fire", "a much longer text than the context has room for"])
    assert embedded.shape == (2, 16)
    torch.testing.assert_close(embedded.norm(dim=-1), torch.ones(2))


@pytest.mark.parametrize("damage", ["truncated", "another model", "code", "text"])
def test_a_wrong_checkpoint_is_one_sentence_and_runs_nothing(tiny, tmp_path, damage):
    path, mark = tmp_path / "weights.pt", tmp_path / "mark"
    content = {
        "truncated": tiny[0].read_bytes()[:1000],
        "code": pickle.dumps(Trap(str(mark))),
        "text": b"not a checkpoint",
    }
    if damage == "another model":
        torch.save({"conv.weight": torch.zeros(3)}, path)
    else:
        path.write_bytes(content[damage])
    for load, what in (
        (lambda: OpenCLIPEncoder("tiny-clip", str(path)), "tiny-clip"),
        (lambda: VGGFeatures(weights=str(path)), "VGG-19"),
    ):
        with pytest.raises(AtelierError, match=f"no checkpoint of .*{what}"):
            load()
    assert not mark.exists()


def test_unknown_models_and_tags_are_said():
    with pytest.raises(AtelierError, match="no model 'ViT-X'"):
        OpenCLIPEncoder("ViT-X")
    with pytest.raises(AtelierError, match=r"no weights 'open-ai' .* it has openai"):
        OpenCLIPEncoder("RN50", "open-ai")


# Content features.


@pytest.fixture(scope="module")
def vgg_file(tmp_path_factory):
    """Random weights under the names of torchvision's file."""
    from torchvision.models.vgg import cfgs, make_layers

    torch.manual_seed(0)
    network = make_layers(cfgs["E"], batch_norm=False)
    state = {f"features.{name}": value for name, value in network.state_dict().items()}
    path = tmp_path_factory.mktemp("vgg") / "vgg19-dcbb9e9d.pth"
    torch.save(state | {"classifier.0.bias": torch.zeros(4)}, path)
    return path, network.eval()


@pytest.mark.parametrize("after_relu", [False, True])
def test_vgg_reads_its_layers_before_or_behind_the_relu(vgg_file, after_relu):
    path, network = vgg_file
    image = torch.rand(1, 3, 64, 48)
    ours = VGGFeatures(weights=str(path), after_relu=after_relu)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    x, kept = (image - mean) / std, []
    with torch.no_grad():
        for index, layer in enumerate(network):
            x = layer(x).clone()
            if index in (21 + after_relu, 30 + after_relu):  # conv4_2 and conv5_2
                kept.append(x.clone())
        for a, b in zip(ours(image), kept, strict=True):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)
    assert (kept[0] < 0).any() != after_relu
    assert len(ours.network) == 31 + after_relu  # nothing beyond conv5_2
    assert not any(p.requires_grad for p in ours.parameters())


def test_vgg_is_found_in_torchs_cache(vgg_file, tmp_path):
    with pytest.raises(AtelierError, match="atelier weights fetch torchvision:vgg19"):
        VGGFeatures()
    cache = tmp_path / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    (cache / "vgg19-dcbb9e9d.pth").symlink_to(vgg_file[0])
    assert len(VGGFeatures(layers=["conv1_1"]).network) == 1
    with pytest.raises(AtelierError, match="no layer conv6_1"):
        VGGFeatures(layers=["conv6_1"])


def test_a_stylization_runs_on_the_real_classes(tiny, vgg_file):
    torch.manual_seed(0)
    method = CLIPstyler(
        generator=StyleNet(width=8),
        encoder=OpenCLIPEncoder("tiny-clip", str(tiny[0])),
        content_features=VGGFeatures(weights=str(vgg_file[0])),
        weights={"global": 500.0, "patch": 9000.0, "content": 150.0, "tv": 2e-3},
        patches=Patches(count=4),
    )
    content = torch.rand(3, 64, 48)
    batch = StyleTask.of(content, (StyleTarget("", "fire"),), torch.ones(1, 64, 48)).batch()
    assert all(math.isfinite(losses["loss"]) for losses in descend(method, batch, steps=3))
    frozen = [*method.encoder.parameters(), *method.content_features.parameters()]
    assert all(p.grad is None for p in frozen)


# Language models.


@pytest.fixture(scope="module")
def llama(tmp_path_factory, byte_tokenizer):
    """A folder with a small random model of Llama's architecture."""
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("llama")
    torch.manual_seed(0)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
    LlamaForCausalLM(
        LlamaConfig(vocab_size=258, num_hidden_layers=2, max_position_embeddings=8192, **size)
    ).save_pretrained(folder)
    AutoTokenizer.from_pretrained(byte_tokenizer).save_pretrained(folder)
    return folder


def spans_only(parser, instruction="Turn the old boat into glass"):
    for target in parser.parse(instruction):
        assert target.object in instruction
        assert target.style in instruction
        assert target.object or target.style


def test_a_llama_folder_parses_into_spans(llama):
    spans_only(LLMParser(model=str(llama)))


def test_a_repository_is_found_in_the_hubs_cache(llama, tmp_path):
    into_hub_cache(
        tmp_path, "somebody/llama", {file.name: file.read_bytes() for file in llama.iterdir()}
    )
    spans_only(LLMParser(model="somebody/llama"))


def test_a_chat_template_frames_the_examples(llama, tmp_path):
    for file in llama.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    template = "{% for m in messages %}<s>[{{ m['content'] }}]{% endfor %}answer:"
    (tmp_path / "chat_template.jinja").write_text(template)
    parser = LLMParser(model=str(tmp_path))
    before, after = parser._frame
    assert before.startswith("<s>[Split each instruction")
    assert after == "]answer:"
    assert parser._scorer._beginning(before, special=True).count(256) == 1  # one <s>
    spans_only(parser)
    plain = LLMParser(model=str(llama))
    assert plain._frame[1] == "\n"


def test_what_is_no_language_model_is_one_sentence(tmp_path, llama):
    from gguf import GGUFWriter

    writer = GGUFWriter(tmp_path / "odd.gguf", "abacus")
    writer.add_block_count(1)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    folder, mark = tmp_path / "trapped", tmp_path / "mark"
    folder.mkdir()
    for file in llama.iterdir():
        if file.suffix != ".safetensors":
            (folder / file.name).write_bytes(file.read_bytes())
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(str(mark))))
    (tmp_path / "empty").mkdir()
    for source in (tmp_path / "odd.gguf", folder, tmp_path / "empty"):
        with pytest.raises(AtelierError, match="cannot be read as a causal language model"):
            LLMParser(model=str(source)).load()
    assert not mark.exists()
    with pytest.raises(AtelierError, match="no weights at"):
        LLMParser(model=str(tmp_path / "nowhere.gguf")).load()


@pytest.mark.slow
def test_a_gguf_file_is_read():
    from datamodules.models.packaged import SMOLLM2, locate

    model, tokenizer = language_models.load_language_model(str(locate(SMOLLM2)))
    assert model.config.num_hidden_layers == 30
    assert tokenizer.decode(tokenizer("fire")["input_ids"]) == "fire"
    assert not any(p.requires_grad for p in model.parameters())


def test_a_run_on_real_classes_from_the_sentence_to_the_third_step(tiny, vgg_file, llama):
    """Random weights in every real part: Llama parses, DINO segments, CLIP and VGG judge."""
    data = StylizationDataModule(
        image="skimage:coffee",
        instruction="Turn the old boat into glass",
        parser=LLMParser(model=str(llama)),
        segmenter=SpectralSegmenter(features=DINODense(weights="untrained", size=224)),
        size=96,
    )
    data.setup()
    method = SemCS(
        generator=StyleNet(width=8),
        encoder=OpenCLIPEncoder("tiny-clip", str(tiny[0])),
        content_features=VGGFeatures(weights=str(vgg_file[0])),
        weights={"foreground": 5e2, "background": 5e2, "patch": 9e3, "content": 150.0, "tv": 2e-3},
        patches=Patches(count=4),
    )
    batch = data.task.batch()
    assert all(math.isfinite(losses["loss"]) for losses in descend(method, batch, steps=3))
    assert (method.stylize(batch) - batch.content).abs().mean() > 0


# Weights and presets.


def test_names_that_mean_nothing_are_said():
    for name in ("vgg19", "clip:ViT", "open_clip:"):
        with pytest.raises(AtelierError, match="is not the name of any weights"):
            by_name(name)
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
    assert published.intact(whole) is True
    assert published.intact(tmp_path / "torch") is False
    (tmp_path / "plain.bin").write_bytes(b"x")
    assert published.intact(tmp_path / "plain.bin") is None


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


@pytest.mark.slow
def test_the_full_size_architectures_take_a_step_at_paper_settings():
    """ViT-B/32 and VGG-19, untrained, at 512 px with 64 patches: about 20 s on two cores."""
    from experiments.run.lightning_cli import AtelierCLI

    settings = {
        "data.image": "skimage:astronaut",
        "data.style": "fire",
        "model.encoder.pretrained": "untrained",
        "model.content_features.weights": "untrained",
        "model.style_features.weights": "untrained",
    }
    cli = AtelierCLI.from_settings(compose("clipstyler", "paper"), settings, started=0.0)
    cli.datamodule.setup()
    batch = cli.datamodule.task.batch()
    assert batch.content.shape[2:] == (512, 512)
    assert cli.model.patches.count == 64
    assert cli.model.sizes(batch) == [128]
    cli.model.prepare(batch)
    results = cli.model.training_step(batch, 0)
    results["loss"].backward()
    assert all(np.isfinite(float(value.detach())) for value in results.values())
    assert all(p.grad is not None for p in cli.model.generator.parameters())
    frozen = [*cli.model.encoder.parameters(), *cli.model.content_features.parameters()]
    assert all(p.grad is None for p in frozen)
