"""Swatches: small style pictures of materials, from which the painter's style codes are computed.

    python -m experiments.make.swatches      writes lightning_modules/generators/swatches/*.jpg

Each is a formula over smooth noise, so that they are ours to ship, and always the same. They need
not be realistic: the style predictor takes only colours, contrasts and the grain of the strokes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy import ndarray
from PIL import Image
from rich.progress import track
from scipy import ndimage

SIDE = 256  # pixels; the input of the style predictor
FOLDER = Path(__file__).parents[2] / "lightning_modules" / "generators" / "swatches"
Y, X = np.mgrid[:SIDE, :SIDE].astype(float)

Color = tuple[int, int, int]


def smooth(scale: float, seed: int, octaves: int = 4) -> ndarray:
    """Noise (SIDE, SIDE) of unit variance.

    scale: of the coarsest octave, in pixels; each further one has half the scale and the strength.
    """
    random = np.random.default_rng(seed)
    layers = [
        ndimage.gaussian_filter(random.standard_normal((SIDE, SIDE)), scale / 2**k, mode="wrap")
        for k in range(octaves)
    ]
    total = sum(layer / layer.std() / 2**k for k, layer in enumerate(layers))
    return total / total.std()


def colored(levels: ndarray, *colors: Color) -> ndarray:
    """A picture (SIDE, SIDE, 3) in [0, 1]: levels, stretched to their range, as colours."""
    low, high = np.percentile(levels, (1, 99))
    places = np.linspace(0, 1, len(colors))
    stretched = np.clip((levels - low) / (high - low), 0, 1)
    ramps = [np.interp(stretched, places, channel) / 255 for channel in zip(*colors, strict=True)]
    return np.stack(ramps, axis=-1)


def cells(count: int, seed: int) -> tuple[ndarray, ndarray]:
    """A Voronoi diagram: the cell of each pixel, and its distance to the border in pixels."""
    points = np.random.default_rng(seed).random((count, 2)) * SIDE
    distances = np.hypot(Y[..., None] - points[:, 0], X[..., None] - points[:, 1])
    nearest = np.sort(distances, axis=-1)
    return distances.argmin(-1), nearest[..., 1] - nearest[..., 0]


def tinted(palette: Sequence[Color], count: int, seed: int) -> ndarray:
    """Colours (count, 3) drawn from a palette, some lighter, some darker."""
    random = np.random.default_rng(seed)
    colours = np.array(palette)[random.integers(len(palette), size=count)] / 255
    return colours * random.uniform(0.75, 1.15, (count, 1))


def flames(dark: Color, *colors: Color) -> ndarray:
    """Fire: rising tongues of turbulent noise."""
    rising = [Y * 0.5 + 12 * smooth(30, 0), X + 10 * smooth(20, 2)]
    licks = ndimage.map_coordinates(smooth(14, 1, 5), rising, order=1, mode="wrap")
    return colored(licks, dark, *colors)


def tubes(background: Color, *colors: Color) -> ndarray:
    """Neon: lines with a white core and a coloured halo."""
    picture = np.ones((SIDE, SIDE, 3)) * np.array(background) / 255
    for k, color in enumerate(colors):
        line = smooth(26, 10 + k, 2)[..., None]
        halo = np.exp(-((line / 0.06) ** 2)) + 0.5 * np.exp(-((line / 0.25) ** 2))
        picture += halo * np.array(color) / 255 + 0.7 * np.exp(-((line / 0.03) ** 2))
    return picture


def facets(*colors: Color) -> ndarray:
    """Crystal: planes, each shaded by its own slope, with bright edges."""
    random, (cell, border) = np.random.default_rng(4), cells(70, 3)
    angle, level = random.uniform(0, 2 * np.pi, 70)[cell], random.random(70)[cell]
    shade = level + 0.35 * np.sin((X * np.cos(angle) + Y * np.sin(angle)) / 18)
    return colored(np.where(border < 1.5, shade.max(), shade), *colors)


def knit(*colors: Color) -> ndarray:
    """Wool: rows of V-shaped stitches under short hairs."""
    random, bend = np.random.default_rng(7), 6 * smooth(30, 5, 2)
    zigzag = 2 * np.abs((X + bend) % 24 - 12)
    hairs = ndimage.gaussian_filter(random.standard_normal((SIDE, SIDE)), (0.6, 2.5))
    stitches = np.sin(2 * np.pi * (Y + bend + zigzag) / 14) + 0.25 * smooth(2, 6, 2)
    return colored(stitches + 0.3 * hairs / hairs.std(), *colors)


def strokes(paper: Color, inks: Sequence[Color], count: int, length: int, seed: int) -> ndarray:
    """Pencil or crayon: straight strokes of many directions, denser in some places."""
    from skimage.draw import line

    random, dense = np.random.default_rng(seed), smooth(36, seed + 1, 2)
    picture = np.ones((SIDE, SIDE, 3)) * np.array(paper) / 255
    turn = smooth(40, seed + 2, 2)
    for _ in range(count):
        y, x = random.integers(length, SIDE - length, 2)
        if dense[y, x] < random.normal():
            continue
        angle = 1.2 * turn[y, x] + random.choice((0, np.pi / 2)) + random.normal(0, 0.1)
        dy, dx = (int(length * f(angle)) for f in (np.sin, np.cos))
        path = line(y - dy, x - dx, y + dy, x + dx)
        picture[path] = (
            0.45 * picture[path] + 0.55 * np.array(inks[random.integers(len(inks))]) / 255
        )
    grain = 1 - 0.05 * np.abs(smooth(1, seed + 3, 1))
    return ndimage.gaussian_filter(picture, (0.6, 0.6, 0)) * grain[..., None]


def wash(*colors: Color) -> ndarray:
    """Watercolour: soft spots of pigment with darker rims, on rough paper."""
    spots = smooth(24, 31, 3)
    rims = 1 - 0.3 * np.exp(-((np.sin(3 * spots) / 0.12) ** 2))
    grain = 1 - 0.05 * np.abs(smooth(1.5, 32, 2))
    return colored(spots, *colors) * (rims * grain)[..., None]


def masonry(count: int, joint: float, palette: Sequence[Color], mortar: Color) -> ndarray:
    """Masonry: stones of a palette between joints."""
    cell, border = cells(count, 9)
    rough = 1 + 0.16 * smooth(6, 11, 5)
    stones = tinted(palette, count, 10)[cell] * rough[..., None]
    shaded = stones * np.clip(border / 10, 0.55, 1)[..., None]
    return np.where((border < joint)[..., None], np.array(mortar) / 255, shaded)


def tiles() -> ndarray:
    """Mosaic: small flat stones in areas of one colour each."""
    cell, border = cells(260, 12)
    area = np.digitize(smooth(40, 14, 2), (-1.2, -0.7, -0.2, 0.3, 0.8, 1.3))
    shade = np.random.default_rng(13).uniform(0.8, 1.2, 260)[cell]
    stones = np.array(JEWELS)[area] / 255 * shade[..., None]
    return np.where((border < 2.2)[..., None], 0.16, stones)


def bricks(palette: Sequence[Color], mortar: Color) -> ndarray:
    """A wall of bricks in a running bond."""
    row = (Y // 24).astype(int)
    across = X + 28 * (row % 2)
    cell = (row * 31 + (across // 56).astype(int)) % 97
    joint = (Y % 24 < 3) | (across % 56 < 3)
    stones = tinted(palette, 97, 15)[cell] * (1 + 0.12 * smooth(4, 16, 4))[..., None]
    return np.where(joint[..., None], np.array(mortar) / 255, stones)


def veins(*colors: Color) -> ndarray:
    """Marble: thin ridges where turbulent noise changes its sign."""
    ridges = np.abs(smooth(40, 17, 6)) ** 0.5
    return colored(ridges + 0.15 * smooth(30, 18, 3), *colors)


def rings(*colors: Color) -> ndarray:
    """Wood: growth rings, stretched along the grain."""
    grain = ndimage.gaussian_filter(smooth(1.5, 20, 2), (14, 0.5))
    rings = np.sin(2 * np.pi * (X + 22 * smooth(50, 19, 2)) / 20)
    return colored(rings + 3 * grain, *colors)


def metal(*colors: Color) -> ndarray:
    """Metal: folds that mirror a bright room, with sharp changes between dark and light."""
    folds = smooth(26, 22, 3)
    return colored(np.sin(2.6 * folds) + 0.35 * np.sin(9 * folds), *colors)


def ripples(*colors: Color) -> ndarray:
    """Water or sand: three bent waves on top of one another."""
    waves = [np.sin(2 * np.pi * (Y + 14 * smooth(26, 23 + k, 2)) / (22 - 6 * k)) for k in range(3)]
    return colored(sum(waves), *colors)


def clouds(*colors: Color) -> ndarray:
    """Clouds, smoke or rust: smooth noise."""
    return colored(smooth(40, 26, 6), *colors)


def blades(*colors: Color) -> ndarray:
    """Grass and leaves: bright slivers over dark gaps."""
    bent = [Y + 6 * smooth(20, 27), X + 8 * smooth(20, 28)]
    slivers = ndimage.gaussian_filter(
        np.random.default_rng(29).standard_normal((SIDE, SIDE)), (5, 1.2)
    )
    return colored(ndimage.map_coordinates(slivers, bent, order=1, mode="wrap"), *colors)


def stars(*colors: Color) -> ndarray:
    """A galaxy: bright points over smooth noise."""
    random = np.random.default_rng(33)
    sky = colored(smooth(34, 34, 5), *colors)
    points = random.random((SIDE, SIDE)) ** 900
    glow = points + 6 * ndimage.gaussian_filter(points, 2)
    return sky + glow[..., None]


def bands() -> ndarray:
    """A rainbow: all hues in flowing bands."""
    from skimage.color import hsv2rgb

    hue = (X / SIDE + 0.3 * smooth(50, 39, 2)) % 1
    return hsv2rgb(
        np.stack([hue, np.full_like(hue, 0.85), 0.85 + 0.1 * smooth(4, 40, 3)], -1).clip(0, 1)
    )


JEWELS = [
    (190, 40, 40),
    (230, 170, 60),
    (40, 90, 160),
    (70, 150, 140),
    (235, 225, 200),
    (30, 40, 80),
    (200, 110, 60),
]
GREYS = [(150, 143, 132), (120, 114, 106), (175, 168, 155), (100, 98, 95)]
REDS = [(168, 72, 52), (188, 92, 66), (146, 58, 44), (176, 98, 78)]
CRAYONS = [
    (210, 50, 50),
    (240, 170, 40),
    (60, 130, 70),
    (50, 90, 180),
    (130, 70, 150),
    (60, 50, 50),
]

SWATCHES = {
    "fire": partial(
        flames, (10, 0, 0), (120, 10, 0), (220, 60, 0), (255, 150, 10), (255, 235, 120)
    ),
    "lava": partial(masonry, 60, 4, [(40, 32, 30), (60, 40, 36), (28, 24, 24)], (255, 110, 10)),
    "ice": partial(facets, (40, 90, 140), (120, 180, 220), (190, 230, 245), (240, 252, 255)),
    "neon": partial(
        tubes, (8, 4, 25), (255, 20, 160), (0, 230, 255), (140, 40, 255), (60, 255, 80)
    ),
    "crystal": partial(facets, (20, 16, 50), (80, 70, 150), (150, 150, 220), (245, 245, 255)),
    "wool": partial(knit, (120, 112, 100), (200, 192, 178), (238, 233, 222), (255, 253, 248)),
    "pencil": partial(strokes, (250, 250, 248), [(40, 40, 42), (90, 90, 92)], 5000, 9, 41),
    "charcoal": partial(strokes, (225, 222, 216), [(15, 15, 15), (50, 48, 46)], 4200, 16, 46),
    "crayon": partial(strokes, (252, 248, 238), CRAYONS, 6000, 11, 51),
    "watercolor": partial(
        wash, (90, 130, 190), (170, 205, 220), (250, 246, 235), (240, 190, 160), (210, 110, 110)
    ),
    "stone": partial(bricks, GREYS, (52, 48, 44)),
    "brick": partial(bricks, REDS, (205, 196, 184)),
    "marble": partial(veins, (70, 75, 85), (200, 202, 208), (240, 240, 242), (252, 252, 252)),
    "wood": partial(rings, (74, 44, 22), (130, 82, 44), (176, 122, 72), (206, 160, 108)),
    "metal": partial(metal, (20, 22, 26), (90, 95, 105), (170, 176, 186), (250, 252, 255)),
    "gold": partial(metal, (60, 32, 0), (160, 104, 10), (230, 180, 50), (255, 246, 190)),
    "copper": partial(metal, (40, 14, 6), (130, 58, 28), (200, 112, 66), (250, 214, 180)),
    "rust": partial(clouds, (52, 28, 18), (120, 56, 24), (176, 88, 40), (120, 100, 90)),
    "water": partial(ripples, (4, 36, 80), (10, 90, 150), (60, 160, 200), (220, 245, 250)),
    "clouds": partial(clouds, (120, 150, 190), (180, 200, 225), (235, 240, 248), (255, 255, 255)),
    "smoke": partial(clouds, (24, 24, 26), (80, 80, 84), (140, 140, 144), (210, 210, 212)),
    "leaves": partial(blades, (10, 30, 8), (30, 90, 24), (90, 160, 50), (190, 220, 110)),
    "autumn": partial(blades, (50, 16, 6), (150, 50, 16), (220, 120, 30), (250, 200, 70)),
    "sand": partial(ripples, (150, 110, 66), (196, 156, 104), (222, 188, 138), (242, 218, 176)),
    "galaxy": partial(stars, (4, 2, 18), (30, 14, 70), (110, 40, 130), (220, 130, 190)),
    "mosaic": tiles,
    "rainbow": bands,
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, paint in track(list(SWATCHES.items()), "painting swatches"):
        picture = (np.clip(paint(), 0, 1) * 255).round().astype(np.uint8)
        Image.fromarray(picture).save(FOLDER / f"{name}.jpg", quality=88)


if __name__ == "__main__":
    main()
