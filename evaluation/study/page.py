"""The raters' page: one anonymous file with pictures, style and script inside."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from datamodules.images import fit_within, load_picture
from datamodules.run_folder import CONTENT, OUTPUT
from datamodules.support.files import write_json, write_text
from evaluation.study.answer_key import KEY, PAGE, VOTES, secret, study_id
from evaluation.study.pairs import Pair
from evaluation.study.runs import digest
from evaluation.study.votes import QUESTIONS, VoteStore

TEMPLATE = Path(__file__).with_name("page.html")
PLACE = "@STUDY@"  # of the study in the template
LONGEST = 1024  # px of a picture on the page


def write_study(pairs: Sequence[Pair], folder: Path, seed: int) -> None:
    """Write index.html and study.json, its key; AtelierError beside votes on other pairs."""
    study = study_id([pair.id for pair in pairs])
    if (folder / VOTES).exists():
        VoteStore(folder / VOTES, study).close()
    write_text(folder / PAGE, page(pairs, seed))
    write_json(folder / KEY, {"study": study, "seed": seed, "pairs": [_entry(p) for p in pairs]})


def _entry(pair: Pair) -> dict:
    sides = {
        side: {"system": work.system, "run": str(work.folder)}
        for side, work in (("A", pair.a), ("B", pair.b))
    }
    return {"id": pair.id, "targets": _targets(pair), **sides}


def _targets(pair: Pair) -> list[dict[str, str]]:
    return [{"object": name, "style": style} for name, style in pair.a.targets]


def page(pairs: Sequence[Pair], seed: int) -> str:
    """HTML of the page. It holds no system, no path and no metadata of a picture."""
    pictures: dict[str, str] = {}

    def add(source: str, size: tuple[int, int] | None = None) -> str:
        """Put a picture on the page, at a size; its id."""
        picture = load_picture(source)
        if size and picture.size != size:  # a size of its own would reveal a system
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        name = secret(seed, digest(picture))
        if name not in pictures:
            pictures[name] = jpeg_uri(picture)
        return name

    entries = []
    for pair in pairs:
        size = load_picture(str(pair.a.folder / CONTENT)).size
        entry = {"id": pair.id, "targets": _targets(pair), "ratio": round(size[0] / size[1], 4)}
        entry["photo"] = add(str(pair.a.folder / CONTENT))
        entry["A"], entry["B"] = (add(str(work.folder / OUTPUT), size) for work in (pair.a, pair.b))
        entry["style"] = add(pair.a.style_image) if pair.a.style_image else ""
        entries.append(entry)
    study = {
        "study": study_id([pair.id for pair in pairs]),
        "questions": QUESTIONS,
        "pairs": entries,
        "pictures": dict(sorted(pictures.items())),
    }
    # A "</script>" in an object's name must not end the script.
    text = json.dumps(study, ensure_ascii=False).replace("<", "\\u003c")
    return TEMPLATE.read_text("utf-8").replace(PLACE, text)


def jpeg_uri(picture: Image.Image) -> str:
    """Data URI of the picture's pixels alone, without comments, profiles and EXIF."""
    bare = Image.frombytes("RGB", picture.size, picture.tobytes())
    buffer = io.BytesIO()
    fit_within(bare, LONGEST).save(buffer, format="JPEG", quality=94, subsampling=0, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
