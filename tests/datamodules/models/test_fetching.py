"""Downloads of weights from a hub on this machine, and all that can go wrong with them."""

import os
import resource
from functools import partial
from pathlib import Path

import pytest

from datamodules.models import download
from datamodules.models.fetching import altered_files, fetch
from datamodules.models.schemes import by_name
from datamodules.support.errors import AtelierError
from datamodules.support.files import sha256
from tests.support.cli import assert_refused, process

REPOSITORY = "CIDAS/clipseg-rd64-refined"
MODEL = f"hf:{REPOSITORY}"
BIG = "model.safetensors"
VGG = "vgg19-dcbb9e9d.pth"
DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def content():
    return os.urandom(300_000)


@pytest.fixture
def model(at_hub, content):
    """The hub with one repository."""
    at_hub.repositories[REPOSITORY] = {"config.json": b"{}", BIG: content}
    return at_hub


@pytest.fixture
def vgg(at_hub, monkeypatch):
    """The hub with torchvision's VGG-19, in small."""
    monkeypatch.setattr(download, "PAUSE", 0.0)
    at_hub.files[VGG] = (DATA / VGG).read_bytes()
    return at_hub


def refusal(name, *words):
    """The one sentence with which fetching a name is refused."""
    with pytest.raises(AtelierError) as caught:
        fetch(by_name(name))
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert all(word in sentence for word in words), sentence
    return sentence


def blobs(folder):
    return [path for path in (folder / "hf").rglob("blobs/*") if path.stat().st_size > 2]


def test_a_repository_is_fetched_into_the_hubs_cache(model, content):
    folder = fetch(by_name(MODEL))
    assert (folder / BIG).read_bytes() == content
    assert by_name(MODEL).cached() == folder
    assert altered_files(folder) == []


def test_a_hubs_file_continues_where_the_connection_was_cut(model):
    """The hub's client writes 10 MiB at a time."""
    content = model.repositories[REPOSITORY][BIG] = os.urandom(25_000_000)
    model.cuts[BIG] = [22_000_000]
    assert (fetch(by_name(MODEL)) / BIG).read_bytes() == content
    first, second = model.requests_for("/cdn/")
    assert "range" not in first.headers
    assert second.headers["range"] == f"bytes={20 * 2**20}-"


def test_torchvisions_file_continues_where_the_connection_was_cut(vgg):
    vgg.cuts[VGG] = [9_000, 6_000]
    path = fetch(by_name("torchvision:vgg19"))
    assert path.read_bytes() == vgg.files[VGG]
    ranges = [request.headers.get("range") for request in vgg.requests_for(VGG)]
    assert ranges == [None, "bytes=9000-", "bytes=15000-"]
    assert [file.name for file in path.parent.glob("[!.]*")] == [VGG]


def test_torchvisions_file_continues_in_a_later_call(vgg):
    vgg.cuts[VGG] = [9_000, *[0] * download.TRIES]
    refusal("torchvision:vgg19", "the connection ended after 9000 of 20488 bytes", "try again")
    assert by_name("torchvision:vgg19").cached() is None
    vgg.requests.clear()
    assert fetch(by_name("torchvision:vgg19")).read_bytes() == vgg.files[VGG]
    assert [request.headers["range"] for request in vgg.requests_for(VGG)] == ["bytes=9000-"]


def test_a_server_that_sends_everything_again_does_no_harm(vgg, tmp_path):
    """Without an answer to Range, and with all bytes already here."""
    part = tmp_path / "torch" / "hub" / "checkpoints" / f"{VGG}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(vgg.files[VGG])
    assert fetch(by_name("torchvision:vgg19")).read_bytes() == vgg.files[VGG]
    vgg.ranges = False
    part.with_suffix("").unlink()
    part.write_bytes(b"x" * 9_000)
    assert fetch(by_name("torchvision:vgg19")).read_bytes() == vgg.files[VGG]


def test_a_file_of_a_release_of_piq_is_fetched_to_where_piq_keeps_it(at_hub, tmp_path, monkeypatch):
    monkeypatch.setattr("datamodules.models.piq_weights.RELEASES", at_hub.url)
    at_hub.files["brisque_svm_weights.pt"] = b"vectors"
    path = fetch(by_name("piq:models/brisque_svm_weights.pt"))
    assert path == tmp_path / "torch" / "hub" / "checkpoints" / "brisque_svm_weights.pt"
    assert path.read_bytes() == b"vectors"


def test_altered_files_are_refused_and_deleted(model, content, tmp_path):
    model.corrupt.add(BIG)
    refusal(MODEL, BIG, "differs from its checksum", "fetch it again")
    assert blobs(tmp_path) == []
    assert by_name(MODEL).cached() is None
    model.corrupt.clear()
    assert (fetch(by_name(MODEL)) / BIG).read_bytes() == content


def test_an_altered_file_of_torchvision_is_refused_and_deleted(vgg, tmp_path):
    vgg.corrupt.add(VGG)
    refusal("torchvision:vgg19", VGG, "SHA-256 does not begin with dcbb9e9d")
    assert not [*tmp_path.rglob(f"{VGG}*")]
    vgg.corrupt.clear()
    assert sha256(fetch(by_name("torchvision:vgg19"))).startswith("dcbb9e9d")


@pytest.mark.parametrize(("name", "file"), [(MODEL, BIG), ("torchvision:vgg19", VGG)])
def test_a_download_that_cannot_fit_is_not_begun(name, file, model, vgg, tmp_path):
    vgg.sizes[file] = 10**18
    home = {"hf": "HF_HOME", "torchvision": "TORCH_HOME"}[name.partition(":")[0]]
    refusal(name, "needs 1000000000.0 GB", str(tmp_path), f"set {home}")
    assert not vgg.requests_for("/cdn/") and not vgg.requests_for("/models/vgg")


def test_a_disk_that_fills_up_is_said(vgg, tmp_path):
    """/dev/full is a disk without any room."""
    part = tmp_path / "torch" / "hub" / "checkpoints" / f"{VGG}.part"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    refusal("torchvision:vgg19", "the disk of", "is full; make room", "TORCH_HOME")


def test_a_disk_that_fills_up_under_the_hubs_client_is_said(model, tmp_path):
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (100_000, 100_000))
    environment = model.environment(tmp_path)
    result = process("weights", "fetch", MODEL, cwd=tmp_path, preexec_fn=limit, **environment)
    assert result.returncode == 2
    assert "is full; make room, or set HF_HOME" in result.stderr.splitlines()[-1]
    assert blobs(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_said(model, vgg, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "file" / "hub"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "file"))
    refusal(MODEL, f"{tmp_path / 'file'}", "set HF_HOME to a folder that can")
    refusal("torchvision:vgg19", f"{tmp_path / 'file'}", "set TORCH_HOME to a folder that can")


@pytest.mark.parametrize("token", ["", "hf_stranger"])
def test_a_gated_model_is_explained(model, token, monkeypatch):
    model.gated.add(REPOSITORY)
    monkeypatch.setenv("HF_TOKEN", token)
    sentence = refusal(MODEL, f"accept its licence at https://huggingface.co/{REPOSITORY}")
    assert "then log in by `hf auth login` or set HF_TOKEN" in sentence
    assert not token or token not in sentence


def test_a_gated_model_is_fetched_with_its_members_token(model, monkeypatch):
    model.gated.add(REPOSITORY)
    monkeypatch.setenv("HF_TOKEN", model.member)
    fetch(by_name(MODEL))
    assert all("authorization" in request.headers for request in model.requests_for("/resolve/"))
    assert all("authorization" not in request.headers for request in model.requests_for("/cdn/"))


def test_torchvisions_server_does_not_get_the_hubs_token(vgg, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", vgg.member)
    fetch(by_name("torchvision:vgg19"))
    assert all("authorization" not in request.headers for request in vgg.requests)


def test_a_token_that_the_hub_refuses_is_said_and_not_shown(model, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", model.stale)
    sentence = refusal(MODEL, "refuses your access token", "hf auth login")
    assert model.stale not in sentence


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hf:CIDAS/clipseg-rd65", "the hub has no repository CIDAS/clipseg-rd65"),
        (f"file:{REPOSITORY}/net.pth", f"{REPOSITORY} on the hub has no weights such as net.pth"),
        ("torchvision:vgg16", "has no such file or revision (404); check the name"),
    ],
)
def test_names_that_their_server_does_not_have(name, words, model):
    assert words in refusal(name)


def test_a_token_with_odd_characters_is_said_and_not_shown(model, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_odd\N{RIGHT SINGLE QUOTATION MARK}")
    assert "hf_odd" not in refusal(MODEL, "the access token has characters that none has")


def test_an_error_that_repeats_secrets_is_told_without_them(model, monkeypatch):
    """The stand-in's own errors repeat the token; 500 is none that has a sentence."""
    monkeypatch.setenv("HF_TOKEN", "hf_planted")
    model.failing = True
    assert "hf_planted" not in refusal(MODEL, "could not be fetched")


def test_safetensors_are_preferred_and_nothing_is_fetched_twice(model, content):
    """Pickles, other frameworks' files and other folders would multiply the download."""
    others = ("pytorch_model.bin", "tf_model.h5", "onnx/model.onnx", "original/params.json")
    model.repositories[REPOSITORY] |= dict.fromkeys(others, content)
    files = [file.name for file in by_name(MODEL).remote()]
    assert files == ["config.json", BIG]
    del model.repositories[REPOSITORY][BIG]
    files = [file.name for file in by_name(MODEL).remote()]
    assert files == ["config.json", "pytorch_model.bin"]
    model.repositories[REPOSITORY] = {"config.json": b"{}"}
    refusal(MODEL, "has no weights such as model.safetensors")


def test_a_model_whose_parts_are_not_all_here_is_not_here(model, content):
    index = b'{"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}'
    parts = {"model-1-of-2.safetensors": content, "model-2-of-2.safetensors": content[1:]}
    files = {"config.json": b"{}", "model.safetensors.index.json": index, **parts}
    model.repositories[REPOSITORY] = files
    folder = fetch(by_name(MODEL))
    assert by_name(MODEL).cached() == folder
    (folder / "model-2-of-2.safetensors").unlink()
    assert by_name(MODEL).cached() is None
    assert [file.name for file in by_name(MODEL).remote() if not file.here] == [
        "model-2-of-2.safetensors"
    ]


@pytest.mark.parametrize("mirror", ["mirror", "ftp://mirror", "https://me:secret@mirror/x"])
def test_an_odd_mirror_is_refused_without_showing_it(mirror, monkeypatch):
    monkeypatch.setenv("ATELIER_TORCHVISION_URL", mirror)
    with pytest.raises(AtelierError, match=r"^ATELIER_TORCHVISION_URL is no address") as caught:
        fetch(by_name("torchvision:vgg19"))
    assert "secret" not in str(caught.value)


def test_fetch_without_a_connection_is_one_line(model, tmp_path):
    environment = model.environment(tmp_path) | {"HF_HUB_OFFLINE": "1"}
    result = process("weights", "fetch", MODEL, cwd=tmp_path, **environment)
    assert_refused(result, "HF_HUB_OFFLINE forbids connections")
    assert model.requests == []
