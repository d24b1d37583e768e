"""FastCLIPstyler (Suresh et al., WACV 2024): one network for all texts, one pass per picture.

A small network has learned which code of a frozen painter a text means; the painter paints each
region in its code. With --steps, the codes are optimised from there by the losses of Fusion.

Example: atelier stylize skimage:rocket "Turn the rocket to fire" --method fast_clipstyler
"""

from __future__ import annotations

from lightning_modules.fusion import Fusion


class FastCLIPstyler(Fusion):
    """Up to eight regions in one pass of a trained network; losses and settings are Fusion's."""
