"""Write docs/results.md from the committed results: python -m experiments.reproduce."""

from datamodules.support.files import write_text
from experiments.reproduce.base import PAGE, page

write_text(PAGE, page())
