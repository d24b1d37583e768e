"""Settings of Gradio, which reads them when it is imported."""

from __future__ import annotations

import os
from pathlib import Path


def settle_gradio(folder: Path) -> None:
    """Let Gradio keep uploads in a folder, and tell and ask nobody about itself."""
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
