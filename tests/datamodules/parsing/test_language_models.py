"""Language models, on small ones of the same formats."""

import json
import pickle

import pytest
import torch

from datamodules.models.packaged import EmbeddedFile
from datamodules.parsing import language_models
from datamodules.parsing.forms import Reading
from datamodules.parsing.llm import LLMParser
from datamodules.support.errors import AtelierError
from datamodules.support.files import sha256
from tests.support.checkpoints import into_hub_cache
from tests.support.traps import Trap

pytestmark = pytest.mark.usefixtures("no_network")


GGUF = {
    "block_count": 2,
    "context_length": 8192,
    "embedding_length": 32,
    "feed_forward_length": 64,
    "head_count": 2,
    "head_count_kv": 2,
    "layer_norm_rms_eps": 1e-6,
    "vocab_size": 258,
    "tokenizer_model": "gpt2",
    "bos_token_id": 256,
    "eos_token_id": 257,
}


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


def test_a_chat_template_frames_the_examples(llama, tmp_path, monkeypatch):
    for file in llama.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    template = "{% for m in messages %}<s>[{{ m['content'] }}]{% endfor %}answer:"
    (tmp_path / "chat_template.jinja").write_text(template)
    parser = LLMParser(model=str(tmp_path))
    before, after = parser._frame
    assert before.startswith("<s>[Split each instruction")
    assert after == "]answer:"
    network, beginnings = parser._scorer.network, []
    begin = network.begin
    monkeypatch.setattr(network, "begin", lambda ids: beginnings.append(ids) or begin(ids))
    parser._choose("cat glass", [Reading("cat", "glass"), Reading("glass", "cat")])
    assert network.encode(before) in beginnings
    assert network.encode(before).count(256) == 1  # one <s>: the template's
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


def write_gguf(path, llama):
    """A Llama in a folder as a GGUF file whose matrices have 8 bits, as llama.cpp writes it."""
    import gguf
    from safetensors.torch import load_file

    writer = gguf.GGUFWriter(path, "llama")
    for field, value in GGUF.items():
        getattr(writer, f"add_{field}")(value)
    tokens = json.loads((llama / "tokenizer.json").read_text())["model"]["vocab"]
    writer.add_token_list(list(tokens))
    writer.add_token_types([gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL] * 2)
    writer.add_token_scores([0.0] * 258)
    writer.add_token_merges([])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, GGUF["block_count"])
    for name, tensor in load_file(llama / "model.safetensors").items():
        values, kind = tensor.numpy(), None
        if values.ndim == 2:
            kind = gguf.GGMLQuantizationType.Q8_0
            values = gguf.quantize(values, kind)
        writer.add_tensor(names.get_name(name, (".weight",)), values, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_gguf_file_is_read(llama, tmp_path):
    write_gguf(tmp_path / "tiny.gguf", llama)
    model, tokenizer = language_models.load_language_model(str(tmp_path / "tiny.gguf"))
    plain, _ = language_models.load_language_model(str(llama))
    theirs = plain.state_dict()
    assert model.state_dict().keys() == theirs.keys()
    for name, values in model.state_dict().items():
        if "q_proj" not in name and "k_proj" not in name:  # whose rows llama.cpp orders otherwise
            assert torch.allclose(values, theirs[name], atol=1e-3), name
    assert tokenizer.decode(tokenizer("fire")["input_ids"]) == "fire"
    assert not any(p.requires_grad for p in model.parameters())


@pytest.fixture
def embedded(llama, tmp_path, monkeypatch):
    """A small GGUF file in an installed package, in the place of SmolLM2."""
    package = tmp_path / "packages" / "tiny_model"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    write_gguf(package / "tiny.gguf", llama)
    monkeypatch.syspath_prepend(package.parent)
    file = EmbeddedFile("tiny_model", "tiny.gguf", sha256(package / "tiny.gguf"))
    monkeypatch.setattr(language_models, "SMOLLM2", file)
    language_models.load_smollm2.cache_clear()
    yield file
    language_models.load_smollm2.cache_clear()


def test_a_conversion_that_broke_off_is_made_again_quietly_and_whole(embedded, tmp_path, capfd):
    folder = tmp_path / "atelier" / f"smollm2-135m-instruct-{embedded.sha256[:16]}"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"half a file")
    network = language_models.load_smollm2()
    assert capfd.readouterr().err == ""
    assert list(folder.parent.iterdir()) == [folder]
    assert language_models.ModelFolder().read(folder) == folder
    assert len(network.encode("fire")) == 4  # bytes
