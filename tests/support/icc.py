"""Minimal colour profiles (ICC, version 2), written by the specification, and their arithmetic."""

import struct

import numpy as np

# Red, green and blue at full strength as XYZ under D50, one in each row, and the exponent.
SPACES = {
    "sRGB": ([[0.4361, 0.2225, 0.0139], [0.3851, 0.7169, 0.0971], [0.1431, 0.0606, 0.7141]], 2.2),
    "Adobe RGB": (
        [[0.6097, 0.3111, 0.0195], [0.2053, 0.6257, 0.0609], [0.1492, 0.0632, 0.7446]],
        2.2,
    ),
    "Display P3": (
        [[0.5151, 0.2412, -0.0011], [0.2920, 0.6922, 0.0419], [0.1571, 0.0666, 0.7841]],
        2.2,
    ),
    "ProPhoto": ([[0.7977, 0.2880, 0.0], [0.1352, 0.7119, 0.0], [0.0313, 0.0001, 0.8249]], 1.8),
}


def rgb_profile(space):
    """Profile of one of the spaces above."""
    primaries, gamma = SPACES[space]
    tags = {f"{c}XYZ": _xyz(p) for c, p in zip("rgb", primaries, strict=True)}
    return _profile("RGB ", "XYZ ", tags | {f"{c}TRC": _curve(gamma) for c in "rgb"})


def grey_profile(gamma):
    """Profile of grey with an exponent."""
    return _profile("GRAY", "XYZ ", {"kTRC": _curve(gamma)})


def cmyk_profile():
    """Profile of inks all of which print as greys, each alone as L* = 50, two or more as black."""
    lightness = [max(0, 255 - 128 * bin(inks).count("1")) for inks in range(16)]
    table = b"".join(bytes([value, 128, 128]) for value in lightness)
    ramp = bytes(range(256))
    head = struct.pack(">4s4x4B9i", b"mft1", 4, 3, 2, 0, *(65536 * np.eye(3, dtype=int)).flat)
    return _profile("CMYK", "Lab ", {"A2B0": head + 4 * ramp + table + 3 * ramp}, b"prtr")


def encoded(picture, space):
    """An sRGB picture (H, W, 3) of 8 bits as the numbers that mean the same colours in a space."""
    values = picture / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    primaries, gamma = SPACES[space]
    other = linear @ np.array(SPACES["sRGB"][0]) @ np.linalg.inv(primaries)
    return (255 * other.clip(0, 1) ** (1 / gamma)).round().astype(np.uint8)


def _xyz(values):
    return struct.pack(">4s4x3i", b"XYZ ", *(round(65536 * v) for v in values))


def _curve(gamma):
    return struct.pack(">4s4xIH2x", b"curv", 1, round(256 * gamma))


def _profile(space, connection, tags, device=b"mntr"):
    tags = tags | {"wtpt": _xyz([0.9642, 1.0, 0.8249])}
    place, directory, data = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        directory += struct.pack(">4sII", name.encode(), place + len(data), len(content))
        data += content
    body = struct.pack(">I", len(tags)) + directory + data
    white = struct.pack(">3i", *(round(65536 * v) for v in (0.9642, 1.0, 0.8249)))
    head = struct.pack(
        *(">I4x4s4s4s4s12x4s28x12s48x", 128 + len(body), b"\2\x10\0\0"),
        *(device, space.encode(), connection.encode(), b"acsp", white),
    )
    return head + body
