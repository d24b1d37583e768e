"""People and faces, which are no ImageNet class: where a face detector finds a face.

A face is an ellipse there, a person that with the hair, and shoulders and body below; what stands
out decides where a person ends (saliency.py), the colours where a face does (GrabCut).
"""

from __future__ import annotations

import cv2
import numpy as np
from skimage.data import lbp_frontal_face_cascade_filename
from skimage.feature import Cascade

from datamodules.segmentation.grabcut import grab_cut
from datamodules.segmentation.phrases import FACE_WORDS, PERSON_WORDS, nested_phrases, place
from datamodules.segmentation.pictures import fit
from datamodules.segmentation.saliency import salient

Face = tuple[float, float, float]  # row and column of the centre, and the size, in px


def person_mask(picture: np.ndarray, phrase: str) -> np.ndarray | None:
    """Mask of the people or faces that the phrase names, bool (H, W); None if there are none."""
    noun = nested_phrases(phrase)[2]
    faces = find_faces(picture) if noun in FACE_WORDS | PERSON_WORDS else []
    liking = place(phrase, picture.shape[:2])
    if faces and liking is not None:
        faces = [max(faces, key=lambda face: float(liking[int(face[0]), int(face[1])]))]
    if not faces:
        return None
    outline = _face_mask if noun in FACE_WORDS else _body_mask
    return np.logical_or.reduce([outline(picture, face) for face in faces])


def find_faces(picture: np.ndarray) -> list[Face]:
    """Frontal faces of skin colour.

    scikit-image's cascade of local binary patterns; what it finds besides faces is rarely skin.
    """
    large = fit(picture, 384)
    ycrcb = cv2.cvtColor(large, cv2.COLOR_RGB2YCrCb)
    skin = cv2.inRange(ycrcb, (40, 135, 77), (255, 180, 127)) > 0
    cascade = Cascade(lbp_frontal_face_cascade_filename())
    found = cascade.detect_multi_scale(
        large, scale_factor=1.2, step_ratio=1, min_size=(24, 24), max_size=large.shape[:2]
    )
    scale, faces = len(picture) / len(large), []
    for box in found:
        row, column, size = box["r"], box["c"], box["width"]
        if skin[row : row + size, column : column + size].mean() > 0.4:
            faces.append(tuple(scale * n for n in (row + size / 2, column + size / 2, size)))
    return faces


def _around(picture: np.ndarray, face: Face) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates y, x (H, W) of the picture's pixels in sizes of the face, 0 in its centre."""
    rows, columns = np.indices(picture.shape[:2])
    row, column, size = face
    return (rows - row) / size, (columns - column) / size


def _face_mask(picture: np.ndarray, face: Face) -> np.ndarray:
    y, x = _around(picture, face)
    inside = 1 - np.hypot(x / 0.45, (y - 0.09) / 0.5)
    return grab_cut(picture, inside, 0) & (inside > -0.1)  # hair is not the face


def _body_mask(picture: np.ndarray, face: Face) -> np.ndarray:
    y, x = _around(picture, face)
    head = 1 - np.hypot(x / 0.75, (y + 0.1) / 0.95)
    body = np.minimum(1 - np.abs(x) / np.clip(y, 0.6, 1.6), (y - 0.7) * 2)
    shape = np.maximum(head, body).clip(-1.5, 1)
    row, column, size = face
    top, bottom = max(0, row - 1.6 * size), min(len(picture), row + 5 * size)
    left, right = max(0, column - 2.2 * size), min(picture.shape[1], column + 2.2 * size)
    stands_out = salient(picture, (int(top), int(left), int(bottom), int(right)))
    return shape + stands_out - 0.5 > 0
