"""Write the style of a finished run as one ONNX graph that paints any picture.

The graph is the painter with its code: the input `content` and the output `picture` are pictures
(N, 3, H, W) in [0, 1], float32, RGB, of any height and width from 12 px. It is checked against
torch on several sizes before the file takes its place. Masks, composite, colours and strength are
not part of it; `atelier stylize --onnx` adds them. docs/export.md shows how other programs use the
file.

Runs of methods in one pass can be exported, and runs that optimised the painter's code.

  atelier export runs/fast_clipstyler-boat-fire -o fire.onnx
  atelier export runs/fusion-boat-fire -o snow.onnx --region background
  atelier stylize rocket.jpg --onnx fire.onnx --object rocket
"""

from __future__ import annotations

import argparse
from pathlib import Path

from datamodules.run_folder import RunFolder
from experiments.run.options import dotted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("run", type=Path, help="the folder of a finished run")
    add("-o", "--out", type=Path, default="style.onnx", help="default: %(default)s")
    add("--region", default="", metavar="OBJECT", help="the object whose style is exported")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    dotted(rest, "export")
    folder = RunFolder(args.run)
    from experiments.run.export import CHECKED, export

    graph = export(folder, args.out, args.region)
    about, sizes = graph.about, ", ".join(f"{width}x{height}" for height, width in CHECKED)
    print(f"style     {about['style'] or '(shown by a picture)'}, on {about['region']}")
    print(f"opset     {about['opset']}")
    print(f"checked   within {graph.difference:.1g} of torch at {sizes} px")
    print(f"file      {args.out}")
    return 0
