"""Pictures side by side with lines of text underneath, as one picture."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

LEADING = 6  # px from one line of text to the next, beside the font's size

Cell = tuple[Image.Image, Sequence[str]]  # an RGB or grey picture, and its lines of text


def labelled_grid(
    cells: Sequence[Cell], columns: int = 0, gap: int = 16, border: int = 8, font_size: int = 14
) -> Image.Image:
    """A white sheet with a picture and lines of text in each cell, row by row.

    cells: pictures of any sizes; the first line is the title, darker than the others.
    columns: pictures per row; by default as many as make the sheet about twice as wide as high.
    gap, border: px between the cells, and around all of them. font_size: px.
    """
    line = font_size + LEADING
    columns = columns or _columns(cells, line)
    width = max(picture.width for picture, _ in cells)
    height = max(picture.height for picture, _ in cells) + line * max(len(t) for _, t in cells)
    rows, columns = -(-len(cells) // columns), min(columns, len(cells))
    size = (columns * (width + gap) - gap + 2 * border, rows * (height + gap) - gap + 2 * border)
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(font_size)
    for index, (picture, lines) in enumerate(cells):
        left = border + index % columns * (width + gap)
        top = border + index // columns * (height + gap)
        sheet.paste(picture.convert("RGB"), (left, top))
        for number, text in enumerate(lines):
            at = (left, top + picture.height + 2 + number * line)
            colour = "dimgray" if number else "black"
            draw.text(at, _fitting(text, font, width), fill=colour, font=font)
    return sheet


def _columns(cells: Sequence[Cell], line: int) -> int:
    picture, lines = cells[0]
    shape = (picture.height + len(lines) * line) / picture.width
    return max(1, min(len(cells), round((2 * len(cells) * shape) ** 0.5)))


def _fitting(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """The text, cut with an ellipsis where it would leave its cell."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
