"""The page as a Space, or in a container: on all addresses, on the processor.

Port, folder and people come from the environment: PORT, ATELIER_FOLDER, ATELIER_PEOPLE (a file of
names and passwords, used if it exists). docs/studio.md says how to put it up.
"""

import os
import sys
from pathlib import Path

from experiments.cli import main

if __name__ == "__main__":
    words = ["studio", "--host", "0.0.0.0", "--port", os.environ.get("PORT", "7860")]
    words += ["--folder", os.environ.get("ATELIER_FOLDER", "/data/studio")]
    people = os.environ.get("ATELIER_PEOPLE", "")
    if people and Path(people).exists():
        words += ["--auth", people]
    sys.exit(main(words))
