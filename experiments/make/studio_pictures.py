"""Pictures of the studio's page for the documentation: at a desk, on a phone, and in the dark.

Starts a server, paints an example in headless Chromium, and writes docs/pictures/studio*.jpg.

  python -m experiments.make.studio_pictures
"""

from __future__ import annotations

import io
import time
from pathlib import Path

from PIL import Image

from experiments.measure.own_studio import own_studio
from experiments.measure.studio_page import page_at

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
VIEWS = {"studio": (1440, False), "studio-phone": (390, False), "studio-dark": (1440, True)}
FINISHED = "document.getElementById('status').innerText.includes('time:')"


def main() -> None:
    with own_studio() as (_, url):
        for name, (width, dark) in VIEWS.items():
            picture = Image.open(io.BytesIO(_picture(url, width, dark))).convert("RGB")
            picture.save(PICTURES / f"{name}.jpg", quality=85)
            print(PICTURES / f"{name}.jpg")


def _picture(url: str, width: int, dark: bool) -> bytes:
    """The whole page once the first example is painted, as PNG."""
    with page_at(url, width, dark) as page:
        page.choose_example()
        page.paint()
        page.wait(FINISHED)
        page.resize(width, page.js("return document.documentElement.scrollHeight"))
        time.sleep(2)  # until the browser has drawn it
        return page.driver.get_screenshot_as_png()


if __name__ == "__main__":
    main()
