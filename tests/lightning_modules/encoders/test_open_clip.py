"""CLIP and its kind, on small checkpoints of their format."""

import json
import os
import pickle

import pytest
import torch
from torch.nn import functional as F

from datamodules.support.errors import AtelierError
from lightning_modules.encoders.open_clip import OpenCLIPEncoder
from lightning_modules.perceptual.vgg import VGGFeatures
from tests.support.checkpoints import TINY_CLIP, into_hub_cache
from tests.support.tiny import TinyEncoder
from tests.support.traps import Trap

pytestmark = pytest.mark.usefixtures("no_network")


def test_an_open_clip_checkpoint_is_the_librarys_model(tiny_clip):
    path, model = tiny_clip
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


def test_frozen_means_frozen(tiny_clip):
    encoder = OpenCLIPEncoder("tiny-clip", str(tiny_clip[0]))
    pictures = torch.rand(2, 3, 32, 32, requires_grad=True)
    encoder.embed_images(pictures).sum().backward()
    assert pictures.grad.abs().sum() > 0
    parameters = [*encoder.parameters()]
    assert parameters
    assert all(p.grad is None and not p.requires_grad for p in parameters)


def test_a_file_is_loaded_once_for_all_that_hold_its_network(tiny_clip, tmp_path):
    path, model = tiny_clip
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


@pytest.mark.parametrize(
    ("half", "dtype"), [("bfloat16", torch.bfloat16), ("float16", torch.float16)]
)
def test_half_precision_is_chosen_for_a_gpu_and_leaves_the_cpu_alone(tiny_clip, half, dtype):
    encoder = OpenCLIPEncoder("tiny-clip", str(tiny_clip[0]), half)
    cast = encoder._on_gpu_half()
    assert (cast.fast_dtype, cast._enabled) == (dtype, False)
    with pytest.raises(AtelierError, match="bfloat16 or float16"):
        OpenCLIPEncoder("tiny-clip", str(tiny_clip[0]), "int8")


def test_a_tag_is_found_in_the_hubs_cache(tiny_clip, tmp_path, monkeypatch):
    from open_clip import pretrained
    from safetensors.torch import save

    entry = {"hf_hub": "somebody/tiny/", "mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}
    monkeypatch.setitem(pretrained._PRETRAINED, "tiny-clip", {"test": entry})
    with pytest.raises(AtelierError, match="atelier weights fetch open_clip:tiny-clip/test"):
        OpenCLIPEncoder("tiny-clip", "test")
    state = {k: v.contiguous() for k, v in torch.load(tiny_clip[0], weights_only=True).items()}
    into_hub_cache(tmp_path, "somebody/tiny", {"open_clip_model.safetensors": save(state)})
    encoder = OpenCLIPEncoder("tiny-clip", "test")
    assert encoder.input_mean.flatten().tolist() == [0.5] * 3  # the tag's own statistics
    assert encoder.input_std.flatten().tolist() == [0.25] * 3
    torch.testing.assert_close(
        encoder.network.state_dict()["visual.proj"], tiny_clip[1].state_dict()["visual.proj"]
    )


def test_siglips_tokenizer_comes_from_the_cache(byte_tokenizer, tmp_path):
    import open_clip

    config = json.loads(json.dumps(TINY_CLIP))
    config["custom_text"] = True
    config["text_cfg"] |= {"hf_tokenizer_name": "somebody/words", "vocab_size": 300}
    config["text_cfg"]["context_length"] = 16
    (tmp_path / "tiny-siglip.json").write_text(json.dumps(config))
    open_clip.add_model_config(tmp_path / "tiny-siglip.json")
    weights = tmp_path / "siglip.pt"
    network = open_clip.create_model("tiny-siglip", load_weights=False)
    torch.save(network.state_dict(), weights)
    with pytest.raises(AtelierError, match="atelier weights fetch tokenizer:somebody/words"):
        OpenCLIPEncoder("tiny-siglip", str(weights))
    files = {file.name: file.read_bytes() for file in byte_tokenizer.iterdir()}
    into_hub_cache(tmp_path, "somebody/words", files)
    encoder = OpenCLIPEncoder("tiny-siglip", str(weights))
    embedded = encoder.embed_texts(["fire", "a much longer text than the context has room for"])
    assert embedded.shape == (2, 16)
    torch.testing.assert_close(embedded.norm(dim=-1), torch.ones(2))
    states, words = encoder.text_tokens(["fire", "ice cream"])
    assert states.shape == (2, 16, 64) and words.sum(1).tolist() == [4, 9]


@pytest.mark.parametrize("damage", ["truncated", "another model", "code", "text"])
def test_a_wrong_checkpoint_is_one_sentence_and_runs_nothing(tiny_clip, tmp_path, damage):
    path, mark = tmp_path / "weights.pt", tmp_path / "mark"
    content = {
        "truncated": tiny_clip[0].read_bytes()[:1000],
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


def test_tokens_end_where_the_text_ends(tiny_clip):
    path, model = tiny_clip
    encoder = OpenCLIPEncoder("tiny-clip", str(path))
    states, words = encoder.text_tokens(["fire", "fire! fire"])  # "!" has the number of padding
    assert words.sum(1).tolist() == [3, 5] and words[:, 0].all()
    pooled = model.ln_final(states[0, 2]) @ model.text_projection
    torch.testing.assert_close(pooled, encoder.text_features(["fire"])[0])


def test_an_encoder_without_tokens_gives_its_embedding_as_one():
    states, words = TinyEncoder().text_tokens(["fire", "ice"])
    assert states.shape == (2, 1, 8) and words.all()


def test_every_models_tokenizer_is_the_one_that_open_clip_names():
    import open_clip

    for model in open_clip.list_models():
        repository = open_clip.get_model_config(model)["text_cfg"].get("hf_tokenizer_name")
        needed = OpenCLIPEncoder.weights_needed(model, "any", "bfloat16")
        tokenizers = [name for name in needed if name.startswith("tokenizer:")]
        assert tokenizers == ([f"tokenizer:{repository}"] if repository else [])
