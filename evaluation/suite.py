"""The scores of one run folder, from its files alone."""

from __future__ import annotations

import json
from pathlib import Path

from datamodules.images import load_picture, to_tensor
from evaluation.metrics.background import background_preservation
from evaluation.metrics.style_similarity import Encoder, style_similarity


def score_run(folder: Path, encoder: Encoder) -> dict[str, float]:
    """Metrics of a run folder: background preservation, and style similarity before and after, if
    the style was told in words.

    Reads content.png, output.png (raw), mask.png and parse.json as they lie there.
    """
    content, output = (
        to_tensor(load_picture(str(folder / f"{name}.png"))) for name in ("content", "output")
    )
    mask = to_tensor(load_picture(str(folder / "mask.png")).convert("L"))
    targets = json.loads((folder / "parse.json").read_text(encoding="utf-8"))
    styles = {target["style"]: target["weight"] for target in targets if target["style"]}
    scores = {
        "mask_coverage": float((mask > 0.5).float().mean()),
        **background_preservation(output, content, mask),
    }
    if styles:
        scores["style_similarity_before"] = style_similarity(content, styles, encoder)
        scores["style_similarity_after"] = style_similarity(output, styles, encoder)
    return scores
