"""People and faces, which are no ImageNet class: where a face detector finds a face.

A face is an ellipse there, a person that with the hair, and shoulders and body below; what stands
out decides where a person ends (saliency.py), the colours where a face does (GrabCut). Of several
people a phrase may mean one by the order in which they stand ("on the left") or by the colour of
the clothes ("in the red shirt"). Where no face is seen, heads are the peaks of what stands out.
"""

from __future__ import annotations

import re

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks
from skimage.data import lbp_frontal_face_cascade_filename
from skimage.feature import Cascade
from skimage.graph import route_through_array

from datamodules.segmentation.cues.saliency import salient
from datamodules.segmentation.operations.arrays import fit, resize
from datamodules.segmentation.operations.colors import COLORS, distances
from datamodules.segmentation.operations.grabcut import grab_cut
from datamodules.segmentation.operations.phrases import (
    FACE_WORDS,
    PERSON_WORDS,
    direction,
    nested_phrases,
)
from datamodules.segmentation.operations.voting import edges

Face = tuple[float, float, float]  # row and column of the centre, and the size, in px
LOOKS = ((384, 0), (640, 0), (448, 22), (448, -22))  # for faces: long side in px, and tilt
MINOR = 0.5  # share of the largest face's size up to which others are the background's
CLOTHED = re.compile(rf"\b(?:in|wearing)\b.*?\b({'|'.join(COLORS)}|gray)\b")


def person_mask(picture: np.ndarray, size: tuple[int, int], phrase: str) -> np.ndarray | None:
    """Mask of the people or faces that the phrase names, bool of the size; None if there are none.

    picture: uint8 (H, W, 3), in which the faces are looked for.
    """
    noun = nested_phrases(phrase)[2]
    if noun not in FACE_WORDS | PERSON_WORDS:
        return None
    small, faces = resize(picture, *size), find_faces(picture, size[0])
    named = meant(small, faces, phrase)
    if noun in FACE_WORDS:
        masks = [_face_mask(small, face) for face in named]
    else:
        masks = [_body_mask(small, face, set(faces) - set(named)) for face in named]
    return np.logical_or.reduce(masks) if masks else None


def meant(picture: np.ndarray, faces: list[Face], phrase: str) -> list[Face]:
    """Those of the faces that the phrase means: one by order or colour of clothes, or all.

    Not one where the phrase names a side and all are on the other.
    """
    towards, color = direction(phrase), CLOTHED.search(phrase.lower())
    if faces and towards is not None:
        middle = np.array(picture.shape[:2]) / 2
        near = [face for face in faces if face[2] > MINOR * max(size for _, _, size in faces)]
        offsets = [(np.array(face[:2]) - middle)[::-1] for face in near]
        if any(towards):
            ranks = [float(offset @ towards) for offset in offsets]
            return [near[int(np.argmax(ranks))]] if max(ranks) > 0 else []
        return [near[int(np.argmin([abs(across) for across, _ in offsets]))]]
    if faces and color:
        far = distances(picture)[..., list(COLORS).index(color[1].replace("gray", "grey"))]
        return [min(faces, key=lambda face: far[_chest(picture, face)].mean())]
    return faces


def find_faces(picture: np.ndarray, height: int) -> list[Face]:
    """Frontal faces of skin colour, upright or tilted, in px of the picture at another height.

    What the cascade finds besides faces is rarely skin, and rarely found again in the mirror image
    and without a tilt.
    """
    found: list[list[tuple[int, float, Face]]] = []
    for side, tilt in LOOKS:
        for way in (1, -1):
            for row, across, size in _look(fit(picture, side)[:, ::way], tilt):
                face = (row, 0.5 * picture.shape[1] / len(picture) + way * across, size)
                same = next((group for group in found if _apart(face, group[0][2]) < 0.5), None)
                if same is None:
                    found.append(same := [])
                same.append((way, tilt, face))
    looks = [tuple(set(seen) for seen in list(zip(*group, strict=True))[:2]) for group in found]
    sure = [len(ways) == 2 and 0 in tilts for ways, tilts in looks]
    medians = [np.median([face for *_, face in group], 0) for group in found]
    return [tuple(height * face) for face, is_sure in zip(medians, sure, strict=True) if is_sure]


def _apart(one: Face, other: Face) -> float:
    """Distance of two faces in sizes of the larger."""
    return float(np.hypot(one[0] - other[0], one[1] - other[1])) / max(one[2], other[2])


def _look(picture: np.ndarray, tilt: float) -> list[Face]:
    """Faces in a picture when it is turned by `tilt` degrees, in heights of it.

    Where they are before the turn, columns from the middle. By scikit-image's cascade of local
    binary patterns.
    """
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), tilt, 1)
    turned = cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    ycrcb = cv2.cvtColor(turned, cv2.COLOR_RGB2YCrCb)
    skin = cv2.inRange(ycrcb, (40, 135, 77), (255, 180, 127)) > 0
    found = Cascade(lbp_frontal_face_cascade_filename()).detect_multi_scale(
        turned, scale_factor=1.2, step_ratio=1, min_size=(24, 24), max_size=(height, width)
    )
    faces = []
    for box in found:
        row, column, size = box["r"], box["c"], box["width"]
        if skin[row : row + size, column : column + size].mean() > 0.4:
            middle = (column + size / 2, row + size / 2, 1)
            x, y = cv2.invertAffineTransform(turn) @ middle
            faces.append((y / height, (x - width / 2) / height, size / height))
    return faces


def _around(picture: np.ndarray, face: Face) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates y, x (H, W) of the picture's pixels in sizes of the face, 0 in its centre."""
    rows, columns = np.indices(picture.shape[:2])
    row, column, size = face
    return (rows - row) / size, (columns - column) / size


def _chest(picture: np.ndarray, face: Face) -> np.ndarray:
    y, x = _around(picture, face)
    chest = (np.abs(x) < 1) & (y > 0.9) & (y < 2.6)
    return chest if chest.any() else np.abs(x) < 1  # the face is at the lower edge


def _face_mask(picture: np.ndarray, face: Face) -> np.ndarray:
    y, x = _around(picture, face)
    inside = 1 - np.hypot(x / 0.45, (y - 0.09) / 0.5)
    return grab_cut(picture, inside, 0) & (inside > -0.1)  # hair is not the face


def _figure(picture: np.ndarray, face: Face) -> np.ndarray:
    """How surely each place is the person's by where it lies from the face, > 0 inside."""
    y, x = _around(picture, face)
    head = 1 - np.hypot(x / 0.75, (y + 0.1) / 0.95)
    body = np.minimum(1 - np.abs(x) / np.clip(y, 0.6, 1.6), (y - 0.7) * 2)
    return np.maximum(head, body)


def _body_mask(picture: np.ndarray, face: Face, others: set[Face]) -> np.ndarray:
    figure, (y, _) = _figure(picture, face), _around(picture, face)
    row, column, size = face
    top, bottom = max(0, row - 1.6 * size), min(len(picture), row + 11 * size)
    left, right = max(0, column - 2.2 * size), min(picture.shape[1], column + 2.2 * size)
    stands_out = salient(picture, (int(top), int(left), int(bottom), int(right)))
    sure = np.clip(2 - 0.4 * y, 0, 1)  # below the chest may be a table, or the feet's ground
    mask = np.clip(figure, -1.5, sure) + stands_out - 0.5 > 0
    for other in others:
        mask &= figure >= _figure(picture, other)
    return mask


def parted(picture: np.ndarray, phrase: str) -> np.ndarray | None:
    """The one of several people without faces that the phrase means by its side, bool (H, W).

    Heads are the peaks of the outline of what stands out; from one to the next it is cut along
    what stands out least and along edges. None without a side, or where there is but one head.
    """
    towards = direction(phrase)
    if towards is None or towards[1]:
        return None
    stands_out = salient(picture, (0, 0, *picture.shape[:2]))
    heads, outline = _heads(stands_out > 0.5)
    if len(heads) < 2:
        return None
    side, middle = towards[0], (picture.shape[1] - 1) / 2
    k = int(np.argmax(side * heads) if side else np.argmin(np.abs(heads - middle)))
    strong = edges(picture)
    cost = 0.05 + stands_out * (1 - 0.6 * np.minimum(strong / np.percentile(strong, 98), 1))
    mask, columns = stands_out > 0.5, np.arange(picture.shape[1])
    if k:
        mask &= columns > _cut(cost, outline, heads[k - 1], heads[k])
    if k + 1 < len(heads):
        mask &= columns < _cut(cost, outline, heads[k], heads[k + 1])
    return mask if mask.sum() > 0.25 * (stands_out > 0.5).sum() else None


def _heads(solid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns of the peaks of a region, bool (H, W), and its height in each column, smoothed."""
    height, width = solid.shape
    heights = np.where(solid.any(0), height - solid.argmax(0), 0).astype(float)
    outline = gaussian_filter1d(heights, width / 60, mode="nearest")
    prominence = max(0.1 * outline.max(), 1)
    peaks, _ = find_peaks(np.pad(outline, 1), prominence=prominence, distance=max(width / 10, 1))
    return peaks - 1, outline


def _cut(cost: np.ndarray, outline: np.ndarray, left: int, right: int) -> np.ndarray:
    """For each row, (H, 1), the column of the cheapest way down between two heads."""
    height = len(cost)
    between = np.pad(cost[:, left : right + 1], ((0, 1), (0, 0)), constant_values=1e-6)
    start = int(outline[left : right + 1].argmin())
    path, _ = route_through_array(between, (0, start), (height, start), geometric=True)
    columns = dict(path)
    return np.array([[left + columns[row]] for row in range(height)])
