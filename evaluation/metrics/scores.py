"""Meanings of all scores of pictures: direction, range, unit and source.

The module imports no torch, so that tables of stored results start at once. A metric declares its
scores here and names them in its class: `scores: ClassVar = CHANGE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from math import inf
from typing import Any

OWN = "own_"  # prefix of scores by the encoder that was optimised itself
PSNR_OF_EQUALS = 100.0  # dB; stands for the infinity of two equal pictures
MOST_DISTS = 1.13  # 1 + the share of beta in all weights: l > 0 after a ReLU, s > -1
MOST_LPIPS = 10.3  # of any network: the two largest weights of each layer, summed; seldom above 1
MOST_LITE0 = 4.0  # squared distance of opposite unit vectors
RATINGS = 10  # of NIMA: from 1 to 10


@dataclass(frozen=True)
class Score:
    """Meaning of a number.

    higher_is_better: None where neither is, and the number only describes.
    low, high: its range. unit: "dB", "of 255", ...; "" for plain numbers.
    source: paper and equation, or the library's function. note: a caveat for readers.
    title: heading for people, without commas; "" for the name's own words.
    """

    higher_is_better: bool | None
    low: float
    high: float
    source: str
    unit: str = ""
    note: str = ""
    title: str = ""

    @property
    def record(self) -> dict[str, Any]:
        """The meaning as JSON has it, which knows no infinite numbers."""
        return {name: None if value in (inf, -inf) else value for name, value in vars(self).items()}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Score:
        """The meaning that `record` has given."""
        ends = {"low": -inf, "high": inf}
        values = {field.name: record.get(field.name) for field in fields(cls)}
        return cls(**{name: ends.get(name) if v is None else v for name, v in values.items()})

    @property
    def remark(self) -> str:
        """Unit and note, "" for neither."""
        return ", ".join(part for part in (self.unit, self.note) if part)


Meanings = dict[str, Score]


def with_own(scores: Meanings) -> Meanings:
    """The scores, and the same by the encoder that was optimised."""
    return scores | {OWN + name: score for name, score in scores.items()}


CHANGE: Meanings = {
    "mask_coverage": Score(None, 0, 1, "share of pixels with mask > 0.5"),
    "object_change": Score(None, 0, 1, "mean |O - I|, weighted by the mask"),
    "rest_change": Score(
        None, 0, 1, "mean |O - I|, weighted by 1 - mask", title="change of the rest"
    ),
}

BACKGROUND: Meanings = {
    "background_max_error": Score(False, 0, 1, "max |O - I| outside the mask"),
    "background_mean_error": Score(False, 0, 1, "mean |O - I| outside the mask"),
    "background_psnr": Score(
        True, 0, PSNR_OF_EQUALS, "torchmetrics", "dB", f"{PSNR_OF_EQUALS:g} = equal"
    ),
    "background_ssim": Score(True, -1, 1, "Wang et al. 2004, by torchmetrics"),
    "leakage": Score(False, 0, 1, "sum |O - I| outside the mask / sum |O - I|"),
}

QUALITY: Meanings = {
    "blur": Score(False, 0, 1, "Crete et al. 2007, by scikit-image"),
    "blur_before": Score(None, 0, 1, "the same of the content image"),
    "noise": Score(False, 0, inf, "Donoho and Johnstone 1994, by scikit-image"),
    "noise_before": Score(None, 0, inf, "the same of the content image"),
}

MESH: Meanings = {
    "mesh": Score(False, 0, 128, "own: evaluation/metrics/mesh.py", "of 255", "in the object"),
}

_BACKGROUND_NOTE = "should be low, unless the background has a style of its own"

GLOBAL_STYLE: Meanings = with_own(
    {
        "style_global": Score(
            True, -1, 1, "cos(E_I(O), E_T(style)), in the object", title="style of the object"
        ),
        "style_global_background": Score(
            None,
            *(-1, 1, "the same in the background"),
            note=_BACKGROUND_NOTE,
            title="style of the background",
        ),
        "style_global_before": Score(
            None, -1, 1, "the same of the content image's object", title="style before"
        ),
        "style_direction": Score(
            True, -1, 1, "cos(E_I(O) - E_I(I), dT), in the object: CLIPstyler, eq. 1"
        ),
        "style_direction_background": Score(
            None, -1, 1, "the same in the background", note=_BACKGROUND_NOTE
        ),
    }
)

PATCH_STYLE: Meanings = with_own(
    {
        "style_patch": Score(
            True,
            -1,
            1,
            "CLIPstyler, supplement: cosine of crops with the style text",
            title="style of patches",
        ),
        "style_patch_background": Score(
            None,
            *(-1, 1, "the same in the background"),
            note=_BACKGROUND_NOTE,
            title="style of background patches",
        ),
    }
)

CONTENT_DISTANCE: Meanings = {
    "object_content_distance": Score(
        False, 0, inf, "content loss inside the mask: CLIPstyler, eq. 4", title="content distance"
    ),
}

MASK_AGREEMENT: Meanings = {
    "mask_agreement": Score(True, 0, 1, "Jaccard index of the segmenter's two masks"),
}

LOSSES: Meanings = {
    "loss_global": Score(False, 0, 2, "CLIPstyler, eq. 1, whole picture"),
    "loss_patch": Score(False, 0, 2, "CLIPstyler, eq. 2, whole picture"),
    "loss_content": Score(False, 0, inf, "CLIPstyler, eq. 4, whole picture"),
    "loss_tv": Score(False, 0, inf, "CLIPstyler, eq. 4, whole picture"),
    "loss_global_area": Score(False, 0, 2, "mean of loss_global over the steps"),
    "loss_patch_area": Score(False, 0, 2, "mean of loss_patch over the steps"),
    "loss_content_area": Score(False, 0, inf, "mean of loss_content over the steps"),
    "loss_tv_area": Score(False, 0, inf, "mean of loss_tv over the steps"),
}

_DISTS = "Ding et al. 2020, as torchmetrics 1.9 (no resizing)"
_ZHANG = "Zhang et al. 2018, eq. 1, version 0.1"
_LITE0 = "own, after Zhang et al. 2018, eq. 1 without weights"
_IN_PLACE = "the content stands in the mask"

DISTS: Meanings = {
    "dists": Score(False, 0, MOST_DISTS, _DISTS, note="Sem-CS reads higher as better"),
    "background_dists": Score(False, 0, MOST_DISTS, _DISTS, note=_IN_PLACE),
}

LPIPS: Meanings = {
    "lpips": Score(False, 0, MOST_LPIPS, _ZHANG),
    "background_lpips": Score(False, 0, MOST_LPIPS, _ZHANG, note=_IN_PLACE),
}

LITE0_DISTANCE: Meanings = {
    "lite0_distance": Score(False, 0, MOST_LITE0, _LITE0, note="no LPIPS"),
    "background_lite0_distance": Score(False, 0, MOST_LITE0, _LITE0, note=f"no LPIPS; {_IN_PLACE}"),
}

_NIMA = "Talebi and Milanfar 2018, trained on AVA"

NIMA: Meanings = {
    "nima_mean": Score(
        True, 1, RATINGS, _NIMA, note="a prediction of people's ratings", title="NIMA"
    ),
    "nima_std": Score(
        None, 0, (RATINGS - 1) / 2, _NIMA, note="predicted spread of ratings", title="NIMA spread"
    ),
}

_PIQ_DISTS = "Ding et al. 2020, as piq 0.8 (short side at most 256 px)"
_PIQ_LPIPS = "Zhang et al. 2018, eq. 1, VGG-16, by piq 0.8"

PIQ_DISTS: Meanings = {
    "piq_dists": Score(False, 0, MOST_DISTS, _PIQ_DISTS),
    "background_piq_dists": Score(False, 0, MOST_DISTS, _PIQ_DISTS, note=_IN_PLACE),
}

PIQ_LPIPS: Meanings = {
    "piq_lpips": Score(False, 0, MOST_LPIPS, _PIQ_LPIPS),
    "background_piq_lpips": Score(False, 0, MOST_LPIPS, _PIQ_LPIPS, note=_IN_PLACE),
}

MEASURES: Meanings = {  # of structure, by piq; a deviation of values in [0, 1] is at most 0.5
    "haarpsi": Score(True, 0, 1, "Reisenhofer et al. 2018"),
    "fsim": Score(True, 0, 1, "Zhang et al. 2011, FSIMc"),
    "vifp": Score(True, 0, inf, "Sheikh and Bovik 2006, pixels", note="above 1: more contrast"),
    "gmsd": Score(False, 0, 0.5, "Xue et al. 2014"),
    "mdsi": Score(False, 0, 1, "Nafchi et al. 2016"),
}

STRUCTURE: Meanings = {
    f"{part}_{name}": replace(score, source=f"{score.source}: change of the {part} alone")
    for part in ("object", "background")
    for name, score in MEASURES.items()
}

BRISQUE: Meanings = {
    "brisque": Score(False, -inf, inf, "Mittal et al. 2012, by piq 0.8", note="mostly 0 to 100"),
}

CLIP_IQA: Meanings = {
    "clip_iqa": Score(True, 0, 1, "Wang et al. 2023, CLIP RN50", note="CLIP's opinion"),
}

SEED_DISTANCE: Meanings = {
    "seed_distance": Score(False, 0, inf, "mean pairwise distance over seeds"),
}

SEED_DIRECTION: Meanings = {
    "seed_direction_spread": Score(False, 0, 2, "1 - mean pairwise cosine of dI over seeds"),
}

ALL: Meanings = {
    **CHANGE,
    **BACKGROUND,
    **QUALITY,
    **MESH,
    **GLOBAL_STYLE,
    **PATCH_STYLE,
    **CONTENT_DISTANCE,
    **MASK_AGREEMENT,
    **LOSSES,
    **DISTS,
    **LPIPS,
    **LITE0_DISTANCE,
    **NIMA,
    **PIQ_DISTS,
    **PIQ_LPIPS,
    **STRUCTURE,
    **BRISQUE,
    **CLIP_IQA,
    **SEED_DISTANCE,
    **SEED_DIRECTION,
}
