"""Frontal faces by scikit-image's cascade of local binary patterns, of skin colour only."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from skimage.data import lbp_frontal_face_cascade_filename
from skimage.feature import Cascade

from datamodules.segmentation.operations.arrays import fit_array

# Passes of the cascade: longer side in px, and tilt in degrees. Two sizes for near and far faces,
# two tilts for heads that lean.
PASSES = ((384, 0), (640, 0), (448, 22), (448, -22))
SMALLEST = 24  # px; side of the windows on which the cascade was trained
SCALE = 1.2  # factor between the window sizes of a pass
SAME = 0.5  # distance, in sizes of the larger face, below which two detections are one face
# Range of skin in YCrCb: Cr and Cb about as in Chai and Ngan (1999), Y without deep shadows.
SKIN = (40, 135, 77), (255, 180, 127)
SKIN_SHARE = 0.4  # least share of skin in a face; hair, eyes and shadows are the rest


class Face(NamedTuple):
    """Square around a face, from the brows to the chin: row and column of its centre, and side."""

    row: float
    column: float
    size: float


def find_faces(picture: np.ndarray, height: int) -> list[Face]:
    """Faces in a picture, uint8 (H, W, 3), in px of the picture resized to another height.

    A face counts if it is detected both in the picture and in its mirror image, and at least once
    without a tilt; false detections rarely are.
    """
    middle = 0.5 * picture.shape[1] / len(picture)
    groups: list[list[tuple[int, int, Face]]] = []
    for side, tilt in PASSES:
        for flip in (1, -1):
            for row, across, size in _detect(fit_array(picture, side)[:, ::flip], tilt):
                face = Face(row, middle + flip * across, size)
                same = next((g for g in groups if _distance(face, g[0][2]) < SAME), None)
                if same is None:
                    groups.append(same := [])
                same.append((flip, tilt, face))
    sure = [group for group in groups if _is_sure(group)]
    medians = [np.median([face for *_, face in group], 0) for group in sure]
    return [Face(*(height * median)) for median in medians]


def _is_sure(group: list[tuple[int, int, Face]]) -> bool:
    flips, tilts, _ = zip(*group, strict=True)
    return len(set(flips)) == 2 and 0 in tilts


def _distance(one: Face, other: Face) -> float:
    """Distance between the centres of two faces, in sizes of the larger one."""
    apart = np.hypot(one.row - other.row, one.column - other.column)
    return float(apart) / max(one.size, other.size)


def _detect(picture: np.ndarray, tilt: float) -> list[Face]:
    """Faces in a picture that is turned by `tilt` degrees, in heights of the picture.

    Positions are those before the turn; columns are counted from the middle.
    """
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), tilt, 1)
    turned = cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    skin = cv2.inRange(cv2.cvtColor(turned, cv2.COLOR_RGB2YCrCb), *SKIN) > 0
    boxes = Cascade(lbp_frontal_face_cascade_filename()).detect_multi_scale(
        turned,
        scale_factor=SCALE,
        step_ratio=1,
        min_size=(SMALLEST, SMALLEST),
        max_size=(height, width),
    )
    faces = []
    for box in boxes:
        row, column, size = box["r"], box["c"], box["width"]
        if skin[row : row + size, column : column + size].mean() > SKIN_SHARE:
            middle = (column + size / 2, row + size / 2, 1)
            x, y = cv2.invertAffineTransform(turn) @ middle
            faces.append(Face(y / height, (x - width / 2) / height, size / height))
    return faces
