"""Packages of the extras: their table, and the sentence about one that is missing."""

import sys

import pytest

from datamodules.support.errors import AtelierError
from datamodules.support.extras import EXTRAS, is_installed, require_extra


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_missing_package_is_one_sentence_with_the_command_that_installs_it(extra, monkeypatch):
    for module in EXTRAS[extra].modules:
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(AtelierError, match=rf"{module}; run: pip install 'atelier\[{extra}"):
            require_extra(module, extra)


def test_from_a_source_tree_the_package_itself_is_to_be_installed(monkeypatch):
    """An index may have another package of the name atelier."""
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(AtelierError, match=r"needs ray; run: pip install ray$"):
        require_extra("ray", "sweep")


def test_a_folder_that_wandb_has_written_is_not_the_package(tmp_path, monkeypatch):
    (tmp_path / "wandb_of_a_run" / "latest-run").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)
    assert not is_installed("wandb_of_a_run")
    assert is_installed("json")
