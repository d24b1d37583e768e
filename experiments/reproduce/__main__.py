"""Write the README's tables from the committed results: python -m experiments.reproduce."""

from datamodules.support.files import write_text
from experiments.reproduce.base import README, readme

write_text(README, readme())
