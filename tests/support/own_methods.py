"""A method as a user writes it, in a folder that nobody installs (fixture `own_method`)."""

import sys
from contextlib import contextmanager
from importlib import invalidate_caches
from pathlib import Path
from types import SimpleNamespace

import pytest

from experiments.run.own_code import forget
from tests.support.cli import ROOT

INSTALLED = (ROOT, sys.prefix, sys.base_prefix)
SOURCE = '''
"""Plain: the whole picture moves towards the style."""

from lightning_modules.losses.directional import directional_loss
from lightning_modules.stylization import Stylization


class Plain(Stylization):
    """The direction of the style, and nothing else."""

    def __init__(self, gain: float = 1.0, **settings) -> None:
        super().__init__(**settings)
        self.gain = gain

    def prepare(self, batch):
        super().prepare(batch)
        (self.direction,) = self.directions_of(batch)

    def views(self, output, batch):
        return self.viewer.view(output)

    def losses(self, output, features, batch):
        losses = directional_loss(features.embeddings, self.content_embedding, self.direction)
        return {"global": self.gain * losses.mean()}
'''
YAML = """# Plain: nothing but the direction.
model:
  class_path: MODULE.Plain
  init_args:
    weights: {global: 1}
data:
  segmenter: {class_path: datamodules.segmentation.whole.WholePicture}
"""


@contextmanager
def own_code_forgotten():
    """Python's path and modules are afterwards as before, but for what is installed.

    Another test has other files of the same names.
    """
    path, modules = [*sys.path], {*sys.modules}
    try:
        yield
    finally:
        sys.path[:] = path
        for name in sys.modules.keys() - modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file and not any(Path(file).is_relative_to(root) for root in INSTALLED):
                del sys.modules[name]
        forget()


@pytest.fixture
def own_method(tmp_path):
    """The method in the test's folder `own`: its name, class path, folder, files; `write` changes
    its source.
    """
    name, folder = f"own_{tmp_path.name}", tmp_path / "own"
    folder.mkdir()
    source, file = folder / f"{name}.py", folder / f"{name}.yaml"

    def write(old="", new=""):
        source.write_text(SOURCE.replace(old, new) if old else SOURCE)
        invalidate_caches()

    write()
    file.write_text(YAML.replace("MODULE", name))
    with own_code_forgotten():
        yield SimpleNamespace(
            name=name, path=f"{name}.Plain", folder=folder, source=source, file=file, write=write
        )
