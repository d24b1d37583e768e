"""Pictures side by side with words underneath, as one picture."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

FONT_SIZE = 14  # px
LINE = 20  # px from one line of text to the next
MARGIN = 8  # px around each picture


def labelled_grid(
    cells: Sequence[tuple[Image.Image, Sequence[str]]], columns: int = 0
) -> Image.Image:
    """A white sheet with a picture and lines of text in each cell, row by row.

    cells: RGB or grey pictures of any sizes, each with its lines; the first line is the title.
    columns: pictures a row; by default as many as make the sheet about twice as wide as high.
    """
    columns = columns or _columns(cells)
    width = max(picture.width for picture, _ in cells) + 2 * MARGIN
    text = max(len(lines) for _, lines in cells) * LINE
    height = max(picture.height for picture, _ in cells) + text + 2 * MARGIN
    rows = -(-len(cells) // columns)
    sheet = Image.new("RGB", (width * min(columns, len(cells)), height * rows), "white")
    draw, plain = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    for index, (picture, lines) in enumerate(cells):
        left, top = index % columns * width + MARGIN, index // columns * height + MARGIN
        sheet.paste(picture.convert("RGB"), (left, top))
        for number, line in enumerate(lines):
            # The title is darker than what follows.
            colour = "black" if number == 0 else "dimgray"
            at = (left, top + picture.height + 2 + number * LINE)
            draw.text(at, _fitting(line, plain, width - 2 * MARGIN), fill=colour, font=plain)
    return sheet


def _columns(cells: Sequence[tuple[Image.Image, Sequence[str]]]) -> int:
    picture, lines = cells[0]
    shape = (picture.height + len(lines) * LINE) / picture.width
    return max(1, min(len(cells), round((2 * len(cells) * shape) ** 0.5)))


def _fitting(line: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """The line, cut with an ellipsis where it would leave its cell."""
    if font.getlength(line) <= width:
        return line
    while line and font.getlength(line + "...") > width:
        line = line[:-1]
    return line + "..."
