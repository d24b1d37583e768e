"""The names of weights in configurations, sweeps, benchmarks and pages, against their libraries.

What a library would ask a server for is told by its registry, by its constants, or by the library
itself: with the server's files laid into the cache under the names that `source` says, its own
loader must find them without a connection.
"""

import os
import re
from fnmatch import fnmatch
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save

from datamodules.benchmarks.manifest import PictureSet, read_manifest
from datamodules.benchmarks.sets import list_sets
from datamodules.models import hub
from datamodules.models.catalogue import catalogue, needed_by
from datamodules.models.hand_weights import PAGES
from datamodules.models.hub_weights import MODEL_FORMATS, MODEL_PARTS, TOKENIZER_PARTS
from datamodules.models.places import place
from datamodules.models.schemes import SCHEMES, by_name
from experiments.campaigns.grid import read_sweep, sweep_jobs
from experiments.run.configuration import compose, weights_of, with_settings
from experiments.run.registry import (
    CONFIGS,
    METHODS,
    METRICS,
    MODELS,
    PARSERS,
    SEGMENTERS,
    SWEEPS,
    names,
)
from tests.support.checkpoints import into_hub_cache

ROOT = CONFIGS.parent
PAGES_AND_FILES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(CONFIGS.rglob("*.yaml")),
    *sorted((ROOT / "datamodules" / "benchmarks").glob("*.yaml")),
]


@pytest.fixture
def offline(no_network, tmp_path, monkeypatch):
    """Empty caches of all libraries, none of which may ask a server."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path


@cache
def names_in_configurations():
    """Names that the shipped presets, sets of metrics, sweeps and short names need."""
    presets = [compose(method, models) for method in names(METHODS) for models in names(MODELS)]
    jobs = chain(*(sweep_jobs(read_sweep(name), {}, False) for name in names(SWEEPS)))
    sweeps = [with_settings(job.config, job.settings) for job in jobs]
    metrics = [yaml.safe_load((METRICS / f"{name}.yaml").read_text()) for name in names(METRICS)]
    weights = [weights_of(config) for config in presets + sweeps]
    weights += [needed_by(part) for part in (*metrics, *SEGMENTERS.values(), *PARSERS.values())]
    return sorted(set(chain(*weights)))


def names_on_pages():
    """Names in documentation, and in comments of configurations."""
    name = rf"\b(?:{'|'.join(SCHEMES)}):[\w.-]+(?:/[\w.-]+)*"
    names_there = chain(*(re.findall(name, path.read_text("utf-8")) for path in PAGES_AND_FILES))
    placeholder = re.compile(r":[A-Z]+(/[A-Z]+)*$|\.\.\.|REPOSITORY")
    return sorted({text.rstrip(".") for text in names_there if not placeholder.search(text)})


def of_scheme(scheme):
    every = {*names_in_configurations(), *(entry.name for entry in catalogue())}
    return sorted(name for name in every if name.partition(":")[0] == scheme)


def test_all_names_have_a_source_and_a_place_in_the_catalogue():
    assert set(names_in_configurations()) <= {entry.name for entry in catalogue()}
    for name in {
        *names_in_configurations(),
        *names_on_pages(),
        *(entry.name for entry in catalogue()),
    } - {*PAGES}:
        source = by_name(name).source()
        assert source.files, name
        assert source.revision == ("" if name.startswith(("torchvision:", "piq:")) else hub.MAIN)


def test_the_branch_is_the_one_that_every_library_of_the_hub_asks_for():
    from huggingface_hub import constants

    assert constants.DEFAULT_REVISION == hub.MAIN


def test_benchmarks_name_methods_whose_weights_are_checked():
    manifests = [read_manifest(path) for path in list_sets().values()]
    methods = chain(*(m.methods for m in manifests if isinstance(m, PictureSet)))
    assert set(methods) <= set(names(METHODS))


FORMATS = pytest.mark.parametrize("which", [0, 1], ids=["safetensors", "torch"])


@FORMATS
def test_open_clip_finds_the_files_itself(which, offline):
    from open_clip.pretrained import download_pretrained, get_pretrained_cfg

    for name in of_scheme("open_clip"):
        weights = by_name(name)
        source = weights.source()
        folder = into_hub_cache(offline, source.place, {source.files[which]: b"x"})
        path = download_pretrained(get_pretrained_cfg(*weights.key.split("/")))
        assert Path(path) == folder / source.files[which] == weights.cached()


def test_open_clips_whole_registry_is_read_as_open_clip_does():
    """Some tags name a file of the repository as well, which `os.path.split` tells apart."""
    import open_clip

    for model, tag in open_clip.list_pretrained():
        config = open_clip.get_pretrained_cfg(model, tag)
        if config.get("hf_hub"):
            repository, file = os.path.split(config["hf_hub"])
            source = by_name(f"open_clip:{model}/{tag}").source()
            assert source.place == repository
            assert source.files[-1] == (file or "open_clip_pytorch_model.bin")


@FORMATS
def test_timm_finds_the_files_itself(which, offline):
    from timm.models import get_pretrained_cfg
    from timm.models._hub import load_state_dict_from_hf

    weight = {"weight": torch.arange(3.0)}
    torch.save(weight, offline / "saved")
    content = [save(weight), (offline / "saved").read_bytes()][which]
    for name in of_scheme("timm"):
        weights = by_name(name)
        source = weights.source()
        into_hub_cache(offline, source.place, {source.files[which]: content})
        state = load_state_dict_from_hf(get_pretrained_cfg(weights.key).hf_hub_id)
        assert torch.equal(state["weight"], weight["weight"])
        assert weights.cached()


def test_places_of_the_catalogue_are_those_of_timm():
    """open_clip's and torchvision's are compared with their whole registries."""
    from timm.models import get_pretrained_cfg

    for name in of_scheme("timm"):
        assert place(name) == get_pretrained_cfg(by_name(name).key).hf_hub_id


def test_no_weights_of_timm_have_a_revision_or_file_of_their_own():
    import timm

    for name in timm.list_pretrained():
        config = timm.models.get_pretrained_cfg(name)
        assert "@" not in (config.hf_hub_id or "")
        assert not config.hf_hub_filename


@pytest.mark.parametrize(
    "variables", [{}, {"XDG_CACHE_HOME": "/caches"}, {"TORCH_HOME": "~/torch"}], ids=str
)
def test_torchs_cache_is_where_torch_has_it(variables, monkeypatch):
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    folder = by_name("torchvision:vgg19").folder()
    assert folder == Path(torch.hub.get_dir()) / "checkpoints"


def test_torchvision_finds_the_files_itself(offline):
    from torchvision.models import get_model_weights

    sizes = {entry.name: entry.megabytes for entry in catalogue()}
    for name in of_scheme("torchvision"):
        weights = by_name(name)
        source = weights.source()
        default = get_model_weights(weights.key).DEFAULT
        assert f"{source.place}/{source.files[0]}" == default.url
        weights.folder().mkdir(parents=True, exist_ok=True)
        torch.save({"weight": torch.ones(2)}, weights.folder() / source.files[0])
        assert torch.hub.load_state_dict_from_url(default.url)["weight"].sum() == 2
        assert weights.cached() == weights.folder() / source.files[0]
        assert sizes[name] == round(default.meta["_file_size"] * 2**20 / 1e6)


def test_piq_finds_the_file_itself(offline):
    import piq

    (name,) = of_scheme("piq")
    weights = by_name(name)
    weights.folder().mkdir(parents=True)
    machine = torch.full((5,), 0.1), torch.rand(5, 36)  # coefficients and support vectors
    torch.save(machine, weights.folder() / weights.source().files[0])
    assert piq.brisque(torch.rand(1, 3, 64, 64)).isfinite()
    assert weights.cached()


def test_transformers_finds_the_files_itself(offline):
    from transformers.utils import CONFIG_NAME, SAFE_WEIGHTS_NAME, cached_file

    for name in of_scheme("hf"):
        repository = by_name(name).source().place
        folder = into_hub_cache(offline, repository, {CONFIG_NAME: b"{}", SAFE_WEIGHTS_NAME: b"x"})
        assert Path(cached_file(repository, SAFE_WEIGHTS_NAME)) == folder / SAFE_WEIGHTS_NAME
        assert by_name(name).cached() == folder


def test_files_have_the_names_that_transformers_gives_them():
    from transformers import utils
    from transformers.tokenization_utils_base import FULL_TOKENIZER_FILE, TOKENIZER_CONFIG_FILE

    def part_of(file):
        return file.replace(".", "-00001-of-00002.")

    safe, pickled, _ = MODEL_FORMATS
    for patterns, file in ((safe, utils.SAFE_WEIGHTS_NAME), (pickled, utils.WEIGHTS_NAME)):
        assert patterns[0] == file
        assert fnmatch(part_of(file), patterns[1])
    others = (utils.CONFIG_NAME, utils.SAFE_WEIGHTS_INDEX_NAME, utils.PROCESSOR_NAME)
    others += ("preprocessor_config.json", "vocab.json", "merges.txt", "tokenizer.model")
    others += (FULL_TOKENIZER_FILE, TOKENIZER_CONFIG_FILE, utils.CHAT_TEMPLATE_FILE)
    assert all(any(fnmatch(file, pattern) for pattern in MODEL_PARTS) for file in others)
    assert by_name("tokenizer:a/b").source().files == (FULL_TOKENIZER_FILE,)
    for file in (FULL_TOKENIZER_FILE, TOKENIZER_CONFIG_FILE, "special_tokens_map.json"):
        assert any(fnmatch(file, pattern) for pattern in TOKENIZER_PARTS)


def test_siglips_tokenizer_is_the_one_that_open_clip_names():
    import open_clip

    (name,) = of_scheme("tokenizer")
    config = open_clip.get_model_config("ViT-B-16-SigLIP")
    assert by_name(name).source().place == config["text_cfg"]["hf_tokenizer_name"]
