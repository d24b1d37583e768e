"""Tables of the study from one encoder's embeddings: a list of rows each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from experiments.correlation import maps
from experiments.correlation.embeddings import Pictures, Texts
from experiments.correlation.pictures import WEIGHTS
from experiments.correlation.scores import auc_of, line_fit, retrieval, spearman
from lightning_modules.generators.painter_styles import PainterStyle

Row = dict[str, Any]
LOSS = ("patches", "templates")  # what the methods' patch loss compares
BEST = "linear, backward"


def recognition(pictures: Pictures, texts: Texts) -> list[Row]:
    """Right against wrong texts by cos(dT, dI), for painted photos and for swatches."""
    every_style = torch.arange(len(pictures.paintings))
    sources = {
        "painted photos": (pictures.directions(), every_style),
        "swatches": (pictures.swatch_directions(), pictures.swatch_styles),
    }
    return [
        {"pictures": source, "view": view, "prompts": prompts} | _right_and_wrong(dI, styles, dT)
        for source, (views, styles) in sources.items()
        for view, dI in views.items()
        for prompts, dT in texts.first.items()
    ]


def _right_and_wrong(images: Tensor, styles: Tensor, texts: Tensor) -> Row:
    """Scores of dI (R, P, D) of pictures in styles (R,) among dT (S, D)."""
    similar = images.flatten(0, 1) @ texts.T
    owners = styles.repeat_interleave(images.shape[1])
    right = F.one_hot(owners, len(texts)).bool()
    return {
        "right": float(similar[right].mean()),
        "wrong": float(similar[~right].mean()),
        "AUC": auc_of(similar, owners),
        "at 1": retrieval(similar, owners, 1),
        "at 5": retrieval(similar, owners, 5),
        "chance at 1": 1 / len(texts),
    }


def pairs_of(pictures: Pictures, texts: Texts, view: str) -> maps.Pairs:
    """Painted photos and all words of their styles."""
    return maps.Pairs(texts.every, texts.owners, pictures.directions()[view])


def explanation(pictures: Pictures, texts: Texts) -> list[Row]:
    """R2 of maps from dT to dI, by view and by what the training has not seen."""
    rows = []
    for view in pictures.directions():
        pairs = pairs_of(pictures, texts, view)
        shares = maps.explained_shares(pairs)
        between_styles, between_photos = maps.common_shares(pairs)
        rows += [
            {"view": view, "unseen": out}
            | {f"R2, {name}": shares[out, name] for name in maps.KERNELS}
            | {"between styles": between_styles, "between photos": between_photos}
            for out in maps.LEFT_OUT
        ]
    return rows


def strength(pictures: Pictures, texts: Texts) -> list[Row]:
    """Magnitude of the move against the strength of the style: its course, monotony and line.

    "length" is |E_I(x) - E_I(x at strength 0)|, "towards the text" its part along dT. Spearman's
    correlation and R2 of a line are means over styles and photos; "rising" is the share of them
    that rises at every step.
    """
    strengths, rows = torch.tensor(WEIGHTS), []
    for kind, series in pictures.series.items():
        moves = series - series[:1]
        courses = {
            "length": moves.norm(dim=-1),
            "towards the text": torch.einsum("wsqd,sd->wsq", moves, texts.first["templates"]),
        }
        for measure, course in courses.items():
            means = course.mean((1, 2)).tolist()
            rows.append(
                {"by": kind, "measure": measure}
                | {f"at {weight}": mean for weight, mean in zip(WEIGHTS, means, strict=True)}
                | {
                    "Spearman": float(spearman(strengths, course).mean()),
                    "rising": float((course.diff(dim=0) > 0).all(0).double().mean()),
                    "R2 of a line": float(line_fit(strengths, course).mean()),
                }
            )
    return rows


def new_styles(results: Mapping[str, Mapping[str, Sequence[maps.Retrieval]]]) -> list[Row]:
    """Retrieval among styles that the maps never saw, by view and map."""
    return [
        {"view": view, "map": name} | maps.mean_scores(folds)
        for view, by_map in results.items()
        for name, folds in by_map.items()
    ]


def by_style(
    styles: Sequence[PainterStyle],
    results: Mapping[str, Mapping[str, Sequence[maps.Retrieval]]],
    pictures: Pictures,
    texts: Texts,
) -> list[Row]:
    """Recognition of each style, worst first by cosine: shares of wrong texts below the right one.

    "cosine" is that of the patch loss among all styles; "map" the best linear map's, among styles
    that it never saw.
    """
    view, prompts = LOSS
    owners = torch.arange(len(styles)).repeat_interleave(len(pictures.photos))
    similar = pictures.directions()[view].flatten(0, 1) @ texts.first[prompts].T
    plain = maps.shares_below([maps.Retrieval(similar, owners, owners)], len(styles))
    mapped = maps.shares_below(results[view][BEST], len(styles))
    rows = [
        {
            "style": style.words[0],
            "kind": "swatch" if style.swatch else "painting",
            "cosine": float(plain[k]),
            "map": float(mapped[k]),
        }
        for k, style in enumerate(styles)
    ]
    return sorted(rows, key=lambda row: row["cosine"])


def all_tables(
    styles: Sequence[PainterStyle], pictures: Pictures, texts: Texts
) -> dict[str, list[Row]]:
    """Every table of one encoder by its name."""
    results = {
        view: maps.new_style_retrieval(pairs_of(pictures, texts, view))
        for view in pictures.directions()
    }
    return {
        "recognition": recognition(pictures, texts),
        "explanation": explanation(pictures, texts),
        "new_styles": new_styles(results),
        "strength": strength(pictures, texts),
        "styles": by_style(styles, results, pictures, texts),
    }


def summary(tables: Mapping[str, Sequence[Row]]) -> Row:
    """Row of one encoder: its figures for the patches that the methods compare with texts."""
    view, prompts = LOSS
    recognised, shares, without, growth = (
        _only(tables[name], **where)
        for name, where in {
            "recognition": {"pictures": "painted photos", "view": view, "prompts": prompts},
            "explanation": {"view": view, "unseen": "styles"},
            "new_styles": {"view": view, "map": "plain cosine"},
            "strength": {"by": "blend", "measure": "length"},
        }.items()
    )
    return {
        "AUC ↑": recognised["AUC"],
        "at 1 ↑": recognised["at 1"],
        "at 5 ↑": recognised["at 5"],
        "R2 possible": shares["between styles"],
        "R2 linear ↑": shares["R2, linear"],
        "R2 non-linear ↑": shares["R2, gaussian"],
        "AUC, unseen styles ↑": without["AUC"],
        "with a linear map ↑": _only(tables["new_styles"], view=view, map=BEST)["AUC"],
        "Spearman of strength": growth["Spearman"],
        "R2 of a line": growth["R2 of a line"],
    }


def _only(rows: Sequence[Row], **where: str) -> Row:
    (row,) = (row for row in rows if all(row[name] == value for name, value in where.items()))
    return row
