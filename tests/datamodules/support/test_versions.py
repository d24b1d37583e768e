"""Atelier's version, with and without an installation."""

from importlib.metadata import PackageNotFoundError, version

import datamodules.support.versions as versions


def test_a_source_tree_that_is_not_installed_has_the_version_of_its_project_file(monkeypatch):
    installed = version("atelier")

    def missing(name):
        raise PackageNotFoundError(name)

    assert versions.own_version() == installed
    monkeypatch.setattr(versions, "version", missing)
    assert versions.own_version() == installed
