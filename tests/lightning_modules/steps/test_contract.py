"""Mistakes in a method of one's own: one sentence that names class, file and function."""

from types import SimpleNamespace

import pytest
import torch

from datamodules.support.errors import AtelierError
from experiments.run.registry import method_class
from lightning_modules.generators.pixels import Pixels
from lightning_modules.steps.contract import FUNCTIONS, refuse_unfinished
from lightning_modules.stylization import Stylization
from tests.support.methods import adam, batch_of, descend
from tests.support.tiny import TinyEncoder, TinyFeatures

VIEWS = "        return self.viewer.view(output)"
LOSSES = '        return {"global": self.gain * losses.mean()}'
MISTAKES = {
    "no super().prepare": ("        super().prepare(batch)\n", "", "prepare of .* super"),
    "no views": (VIEWS, "        pass", r"views of .* returns nothing; return pictures \(V, 3, 16"),
    "views of another size": (VIEWS, "        return output", r"views of .* a tensor \(1, 3, 64"),
    "no dictionary": (
        LOSSES,
        "        return losses.mean()",
        r"losses of .* a tensor \(\); return",
    ),
    "a loss per view": (LOSSES, LOSSES.replace(".mean()", ""), r"'global' as a tensor \(1,\)"),
    "a number": (
        LOSSES,
        LOSSES.replace(".mean()", ".item()"),
        "'global' as a float; give a scalar",
    ),
    "another name": ('"global"', '"globe"', r"names \['global'\], but the losses .* \['globe'\]"),
    "no gradient": ("losses.mean()", "losses.detach().mean()", "nothing with a gradient"),
}


def built(own_method, **settings):
    method = method_class(str(own_method.file))
    arguments = {"weights": {"global": 1.0}, "optimizer": adam(1e-2), **settings}
    networks = {"encoder": TinyEncoder(), "content_features": TinyFeatures()}
    return method(generator=Pixels(), **networks, **arguments)


def optimised(method, content):
    """Steps as Lightning takes them, from `on_fit_start`."""
    batch = batch_of(content, [torch.ones_like(content[0])], "fire")
    data = SimpleNamespace(
        train_dataloader=lambda: [batch], transfer_batch_to_device=lambda batch, *where: batch
    )
    method.trainer = SimpleNamespace(max_steps=2, datamodule=data)
    method.generator.start(batch)
    method.on_fit_start()
    method.trainer = None
    return descend(method, batch, 2)


def test_a_method_with_the_three_functions_runs(own_method, content):
    refuse_unfinished(method_class(str(own_method.file)))
    first, second = optimised(built(own_method), content)
    assert second["global"] < first["global"]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence(own_method, content, mistake):
    old, new, sentence = MISTAKES[mistake]
    assert old in own_method.source.read_text()
    own_method.write(old, new)
    with pytest.raises(AtelierError, match=sentence) as caught:
        optimised(built(own_method), content)
    assert f"Plain in {own_method.source}" in str(caught.value)


def test_wrong_weights_are_one_sentence(own_method, content):
    with pytest.raises(AtelierError, match=r"names \['global', 'tv'\], but the losses of Plain in"):
        optimised(built(own_method, weights={"global": 1.0, "tv": 1.0}), content)


@pytest.mark.parametrize("function", ["views", "losses"])
def test_a_missing_function_is_said_before_anything_is_built(own_method, function):
    own_method.write(f"    def {function}(", f"    def other_{function}(")
    with pytest.raises(AtelierError, match=rf"in .*\.py lacks the function {function}\(output"):
        refuse_unfinished(method_class(str(own_method.file)))


def test_other_arguments_are_said(own_method):
    own_method.write("def views(self, output, batch)", "def views(self, output)")
    with pytest.raises(AtelierError, match=r"has the function views\(self, output\); write it"):
        refuse_unfinished(method_class(str(own_method.file)))


def test_the_functions_are_those_that_a_step_calls():
    assert Stylization.__abstractmethods__ < FUNCTIONS.keys()
