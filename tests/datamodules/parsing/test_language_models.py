"""Language models, on small ones of the same formats."""

import pickle

import pytest

from datamodules.parsing import language_models
from datamodules.parsing.forms import Reading
from datamodules.parsing.llm import LLMParser
from datamodules.support.errors import AtelierError
from tests.support.checkpoints import into_hub_cache
from tests.support.traps import Trap

pytestmark = pytest.mark.usefixtures("no_network")


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


@pytest.mark.slow
def test_a_gguf_file_is_read():
    from datamodules.models.packaged import SMOLLM2, locate

    model, tokenizer = language_models.load_language_model(str(locate(SMOLLM2)))
    assert model.config.num_hidden_layers == 30
    assert tokenizer.decode(tokenizer("fire")["input_ids"]) == "fire"
    assert not any(p.requires_grad for p in model.parameters())
