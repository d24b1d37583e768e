"""Fixtures that several test files share."""

import pytest

from tests.support.browser import browser  # noqa: F401
from tests.support.checkpoints import (
    byte_tokenizer,  # noqa: F401
    llama,  # noqa: F401
    tiny_clip,  # noqa: F401
    vgg_file,  # noqa: F401
)
from tests.support.cli import cli  # noqa: F401
from tests.support.cris import cris_file  # noqa: F401
from tests.support.finished import finished_run, finished_sweep  # noqa: F401
from tests.support.hub import at_hub, hub  # noqa: F401
from tests.support.instance_networks import (
    grounding_folder,  # noqa: F401
    sam2_folder,  # noqa: F401
    sam2_video_folder,  # noqa: F401
    sam3_folder,  # noqa: F401
    sam3_video_folder,  # noqa: F401
)
from tests.support.own_methods import own_method  # noqa: F401
from tests.support.parity import agree  # noqa: F401
from tests.support.parses import judgement_cache  # noqa: F401
from tests.support.pictures import content, left, mask, output  # noqa: F401
from tests.support.reports import report_runs  # noqa: F401
from tests.support.scored_runs import two_methods  # noqa: F401
from tests.support.segmenter_files import clipseg_folder  # noqa: F401
from tests.support.servers import serve  # noqa: F401
from tests.support.studies import (
    served_study,  # noqa: F401
    study,  # noqa: F401
    study_runs,  # noqa: F401
)
from tests.support.sweeps import sweep  # noqa: F401


@pytest.fixture
def no_network(tmp_path, monkeypatch):
    """Empty caches, and no connection: a try is a failure of the test."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "atelier"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

    def refuse(*args, **kwargs):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr("socket.create_connection", refuse)
