"""The notebooks run from the first cell to the last."""

import sys

import nbformat
import pytest

from tests.support.cli import ROOT
from tests.support.own_methods import own_code_forgotten

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """IPython in an empty folder, as a kernel has it, but in this process: imports take seconds."""
    interactive = pytest.importorskip("IPython.core.interactiveshell")
    monkeypatch.chdir(tmp_path)
    with own_code_forgotten():
        sys.path[:0] = [str(tmp_path), str(ROOT / "experiments" / "python")]
        yield interactive.InteractiveShell.instance()
        interactive.InteractiveShell.clear_instance()


@pytest.mark.slow  # real runs at sizes at which a reader sees something
@pytest.mark.xdist_group("notebooks")  # one process imports all that they need
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_pictures(path, shell):
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # outputs are not committed
    pictures = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            result = shell.run_cell(cell.source)
            result.raise_error()
            data, _ = shell.display_formatter.format(result.result)
            pictures += "image/png" in data
    assert pictures
