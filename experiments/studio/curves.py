"""Losses as small curves, in SVG that needs no script."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT, MARGIN = 150, 44, 3  # px
MOST = 300  # points per curve


def curves(columns: Mapping[str, Sequence[float]]) -> str:
    """HTML of one curve per loss, with its last value. columns: values by the loss's name."""
    drawn = [_curve(name, values) for name, values in columns.items() if len(values) > 1]
    return f'<div class="curves">{"".join(drawn)}</div>' if drawn else ""


def _curve(name: str, course: Sequence[float]) -> str:
    values = [*course[:: max(1, len(course) // MOST)], course[-1]]
    low, high = min(values), max(values)
    step, scale = (
        (WIDTH - 2 * MARGIN) / (len(values) - 1),
        (HEIGHT - 2 * MARGIN) / ((high - low) or 1),
    )
    points = " ".join(
        f"{MARGIN + k * step:.1f},{MARGIN + (high - value) * scale:.1f}"
        for k, value in enumerate(values)
    )
    label = html.escape(name)
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}: from '
        f'{values[0]:.3g} to {values[-1]:.3g}"><polyline points="{points}"/></svg>'
        f"<figcaption>{label} {values[-1]:.3g}</figcaption></figure>"
    )
