"""People and faces, which are no ImageNet class, by a face detector.

A face is an ellipse; a person is that with the hair, and shoulders and body below. Saliency decides
where a person ends, and colour (GrabCut) where a face ends. Among several people a phrase can
select one by the side ("on the left") or by the colour of the clothes ("in the red shirt").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from datamodules.segmentation.cues.base import Cue, Finding
from datamodules.segmentation.cues.scene import Scene
from datamodules.segmentation.operations.colors import color_distances
from datamodules.segmentation.operations.faces import Face
from datamodules.segmentation.operations.grabcut import grab_cut
from datamodules.segmentation.operations.phrases import direction, noun
from datamodules.segmentation.operations.saliency import salient
from datamodules.vocabulary import COLORS, FACES, PEOPLE, normalized

CLOTHED = re.compile(rf"\b(?:in|wearing)\b.*?\b({'|'.join(COLORS)})\b")


class Ellipse(NamedTuple):
    """Half axes and downward shift of an ellipse, in sizes of a face."""

    half_width: float
    half_height: float
    down: float

    def depth(self, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Depth of points inside the ellipse: 1 in its middle, 0 at its edge, < 0 outside."""
        return 1 - np.hypot(x / self.half_width, (y - self.down) / self.half_height)


# Proportions of a person, in sizes of the detected face from its centre. A face is two thirds of a
# head, and a person about seven and a half heads tall.
FACE = Ellipse(0.45, 0.5, 0.09)  # from the brows to below the chin
HAIR = 0.1  # depth outside FACE beyond which similar colours are hair or neck
HEAD = Ellipse(0.75, 0.95, -0.1)  # with the hair
SHOULDERS = 0.7  # downwards, where the body begins
NARROWEST, WIDEST = 0.6, 1.6  # half widths of the body; it widens by 1 per size between them
CHEST = (0.9, 2.6)  # downwards, where clothes have their colour; 1 to each side
ABOVE, BELOW, ASIDE = 1.6, 11, 2.2  # reach of a person, from the hair to the feet
# Certainty of the figure: 1 down to the chest (2.5 below the face), 0 from the hips (5) on. Farther
# down, a table or the ground may be where a body would.
CERTAINTY, LOSS = 2.0, 0.4


@dataclass(frozen=True)
class People(Cue):
    """Cue for people with visible faces, and for faces.

    Args:
        confidence: confidence in each mask, in [0, 1]: the mean IoU measured on such masks.
        minor: share of the largest face's size up to which other faces belong to the background
            when a phrase names a side.
    """

    confidence: float = 0.85
    minor: float = 0.5

    def find(self, scene: Scene, phrase: str) -> Finding | None:
        if noun(phrase) not in FACES | PEOPLE:
            return None
        picture, faces = scene.small, scene.faces
        subjects = self.select(picture, faces, phrase)
        if noun(phrase) in FACES:
            masks = [_face_mask(picture, face) for face in subjects]
        else:
            masks = [_body_mask(picture, face, set(faces) - set(subjects)) for face in subjects]
        return Finding(np.logical_or.reduce(masks), self.confidence) if masks else None

    def select(self, picture: np.ndarray, faces: list[Face], phrase: str) -> list[Face]:
        """Faces that a phrase means: one by its side or the colour of the clothes, else all.

        None of them if the phrase names a side and all are on the other one.
        """
        towards, color = direction(phrase), CLOTHED.search(normalized(phrase))
        if faces and towards is not None:
            return self._on_side(picture, faces, towards)
        if faces and color:
            distance = color_distances(picture)[..., list(COLORS).index(color[1])]
            return [min(faces, key=lambda face: distance[_chest(picture, face)].mean())]
        return faces

    def _on_side(
        self, picture: np.ndarray, faces: list[Face], towards: tuple[int, int]
    ) -> list[Face]:
        """The outermost large face in a direction (x, y), or for (0, 0) the middle one."""
        middle = np.array(picture.shape[:2]) / 2
        largest = max(face.size for face in faces)
        large = [face for face in faces if face.size > self.minor * largest]
        offsets = [(np.array(face[:2]) - middle)[::-1] for face in large]
        if not any(towards):
            return [large[int(np.argmin([abs(across) for across, _ in offsets]))]]
        ranks = [float(offset @ towards) for offset in offsets]
        return [large[int(np.argmax(ranks))]] if max(ranks) > 0 else []


def _around(picture: np.ndarray, face: Face) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates y, x (H, W) of a picture's pixels, in sizes of a face from its centre."""
    rows, columns = np.indices(picture.shape[:2])
    return (rows - face.row) / face.size, (columns - face.column) / face.size


def _chest(picture: np.ndarray, face: Face) -> np.ndarray:
    """Region of the clothes below a face, bool (H, W)."""
    y, x = _around(picture, face)
    chest = (np.abs(x) < 1) & (y > CHEST[0]) & (y < CHEST[1])
    return chest if chest.any() else np.abs(x) < 1  # the face is at the lower edge


def _face_mask(picture: np.ndarray, face: Face) -> np.ndarray:
    depth = FACE.depth(*_around(picture, face))
    return grab_cut(picture, depth, 0) & (depth > -HAIR)


def _figure(picture: np.ndarray, face: Face) -> np.ndarray:
    """Depth of each pixel inside the figure of a person, (H, W), > 0 inside and at most 1."""
    y, x = _around(picture, face)
    body = np.minimum(1 - np.abs(x) / np.clip(y, NARROWEST, WIDEST), (y - SHOULDERS) * 2)
    return np.maximum(HEAD.depth(y, x), body)


def _body_mask(picture: np.ndarray, face: Face, others: set[Face]) -> np.ndarray:
    """Person with a face, bool (H, W), without what lies deeper inside the others' figures."""
    figure, (y, _) = _figure(picture, face), _around(picture, face)
    row, column, size = face
    top, bottom = max(0, row - ABOVE * size), min(len(picture), row + BELOW * size)
    left, right = max(0, column - ASIDE * size), min(picture.shape[1], column + ASIDE * size)
    saliency = salient(picture, (int(top), int(left), int(bottom), int(right)))
    certainty = np.clip(CERTAINTY - LOSS * y, 0, 1)
    mask = np.minimum(figure, certainty) + saliency > 0.5
    for other in others:
        mask &= figure >= _figure(picture, other)
    return mask
