"""Files of which OnnxPainter makes no pictures."""

import onnx
import pytest
import torch
from onnx import TensorProto, helper

from datamodules.support.errors import AtelierError
from lightning_modules.generators.onnx_painter import OnnxPainter
from lightning_modules.steps.memory import painting

ANY = ("pictures", 3, "height", "width")


def graph(path, operator="Sigmoid", content="content", picture="picture", shape=ANY):
    """A file with one operator between input and output."""
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
        for name in (content, picture)
    ]
    node = helper.make_node(operator, [content], [picture])
    network = helper.make_graph([node], "graph", *ends)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(network, opset_imports=opset, ir_version=8), path)
    return str(path)


def test_a_graph_of_any_origin_paints(tmp_path):
    content = torch.rand(1, 3, 20, 33)
    painter = OnnxPainter(graph(tmp_path / "style.onnx"))
    with torch.no_grad():
        assert torch.allclose(painter.paint(content, torch.zeros(1, 0)), content.sigmoid())
    with pytest.raises(AtelierError, match="cannot be optimised; leave --steps out"):
        painter.paint(content, torch.zeros(1, 0))


def test_the_estimate_of_painting_covers_the_peak_that_was_measured(tmp_path):
    """Bytes per pixel of the process, from 256 to 2048 px, by a graph of atelier export."""
    painter, measured = OnnxPainter(graph(tmp_path / "style.onnx")), 384
    assert measured < painting(painter, torch.zeros(1, 3, 128, 128), 1) < 2 * measured


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"content": "x"}, r"has x tensor\(float\) .* in place of content"),
        ({"picture": "y"}, r"has y tensor\(float\) .* in place of picture"),
        ({"shape": ("pictures", 3, 224, 224)}, "in place of content, float pictures"),
        ({"shape": ("pictures", 1, "height", "width")}, "in place of content, float pictures"),
    ],
)
def test_a_graph_with_other_ends_is_refused(tmp_path, settings, sentence):
    with pytest.raises(AtelierError, match=sentence):
        OnnxPainter(graph(tmp_path / "style.onnx", **settings))


def test_what_is_no_graph_is_refused_with_the_way_to_one(tmp_path):
    with pytest.raises(AtelierError, match=r"no file .*nowhere.onnx; write it with atelier export"):
        OnnxPainter(str(tmp_path / "nowhere.onnx"))
    (tmp_path / "cut.onnx").write_bytes(b"\x08\x08 no graph")
    with pytest.raises(AtelierError, match=r"cut.onnx is no ONNX graph .* atelier export"):
        OnnxPainter(str(tmp_path / "cut.onnx"))


@pytest.mark.parametrize(("operator", "value"), [("Exp", 1.0), ("Log", 0.0), ("Neg", 1.0)])
def test_pictures_out_of_range_are_refused(tmp_path, operator, value):
    painter = OnnxPainter(graph(tmp_path / "style.onnx", operator))
    with pytest.raises(AtelierError, match=r"paints no picture in \[0, 1\] of 33x20 px"):
        painter.run(torch.full((1, 3, 20, 33), value))
