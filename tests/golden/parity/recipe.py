"""Weights and inputs for CRIS made from nothing but names: the golden data of logits_*.npz.

Every number is an integer hash of the tensor's name and of the element's flat index (row-major), so
any implementation in any language gives the same bits. numpy only.

    weights = {key: tensor(key, shape) for key, shape in shapes.items()}   # float32
    image(height, width), tokens()

Keys are those of the published checkpoint's `state_dict` without the prefix "module.".
"""

import zlib

import numpy as np

MASK = np.uint64(0xFFFFFFFFFFFFFFFF)


def uniform(name: str, count: int) -> np.ndarray:
    """`count` float64 in [-1, 1): splitmix64 of (crc32(name) << 32) + index, its top 24 bits."""
    seed = np.uint64(zlib.crc32(name.encode()))
    with np.errstate(over="ignore"):
        x = (seed << np.uint64(32)) + np.arange(count, dtype=np.uint64)
        x = x * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0


def is_norm(key: str) -> bool:
    """Whether a 1-d `weight` belongs to a batch norm or a layer norm (all 1-d weights do)."""
    return key.endswith(".weight")


def tensor(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """The tensor of that name: float32, but int64 for num_batches_tracked."""
    shape = tuple(shape)
    count = int(np.prod(shape)) if shape else 1
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if key.endswith("logit_scale"):
        return np.full(shape, 2.6592600, np.float32)
    u = uniform(key, count)
    if key.endswith("running_mean"):
        values = 0.1 * u
    elif key.endswith("running_var"):
        values = 1.0 + 0.5 * u  # in [0.5, 1.5)
    elif len(shape) == 1 and is_norm(key):
        values = 1.0 + 0.3 * u  # scales of batch and layer norms
        if key.endswith("bn3.weight"):
            values = 0.3 * values  # else the residual sums would grow
    elif len(shape) == 1:
        values = 0.1 * u  # biases
    elif key.endswith("token_embedding.weight"):
        values = 0.5 * u
    elif key.endswith("positional_embedding"):
        values = 0.3 * u
    else:  # matrices and kernels (out, in, ...); text_projection is (in, out)
        fan_in = shape[0] if key.endswith("text_projection") else count // shape[0]
        values = u * np.sqrt(6.0 / fan_in)  # variance 2 / fan_in
        if key.endswith("proj.txt.weight"):
            values = 0.06 * values
    return values.astype(np.float32).reshape(shape)


def image(height: int, width: int) -> np.ndarray:
    """A normalised picture (1, 3, height, width) float32: waves, an ellipse and a little noise."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    y, x = (y + 0.5) / height * 2 - 1, (x + 0.5) / width * 2 - 1
    disc = ((x - 0.2) ** 2 / 0.30 + (y + 0.1) ** 2 / 0.15 < 1).astype(np.float64)
    planes = [
        1.2 * disc - 0.4 + 0.3 * x,
        x * y - 0.6 * disc + 0.4 * np.abs(x + y),
        0.8 * y * y - 0.5 * x + 0.2 * disc,
    ]
    noise = uniform("image", 3 * height * width).reshape(3, height, width)
    return (np.stack(planes) + 0.25 * noise)[None].astype(np.float32)


def tokens(sentence: int = 0, vocabulary: int = 49408, length: int = 17) -> np.ndarray:
    """Token ids (1, length) int64: start, words, end, zeros. The end's id is the largest.

    0: five words; 1: as many as fit (what a truncated sentence looks like).
    """
    words = 5 if sentence == 0 else length - 2
    ids = (uniform(f"tokens{sentence}", words) + 1) / 2 * (vocabulary - 2)
    row = [vocabulary - 2, *(1 + ids.astype(np.int64) % (vocabulary - 3)).tolist(), vocabulary - 1]
    return np.array([row + [0] * (length - len(row))], np.int64)


def picture(height: int, width: int) -> np.ndarray:
    """A picture, uint8 RGB (height, width, 3), for what comes before the network."""
    planes = 110 + 60 * image(height, width)[0].astype(np.float64)
    return np.rint(planes.clip(0, 255)).astype(np.uint8).transpose(1, 2, 0)


def map_of_logits(side: int = 104) -> np.ndarray:
    """Logits (side, side) float32 with a blob above and a ramp below the threshold."""
    y, x = (np.mgrid[:side, :side].astype(np.float64) + 0.5) / side * 2 - 1
    values = (
        6 * np.exp(-((x - 0.1) ** 2 / 0.2 + (y + 0.15) ** 2 / 0.1))
        - 3
        + 1.5 * np.sin(9 * x + 4 * y)
    )
    return values.astype(np.float32)
