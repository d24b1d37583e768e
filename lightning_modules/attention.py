"""Attention (Cyizere 2024, figure 2b): each position of the picture asks the text for its style.

Content features and the tokens of a style text meet in cross-attention; a decoder paints the fused
features, in one pass per region (lightning_modules/generators/attention.py has the formulas). The
network is trained by content, directional, patch and contrastive losses. With --steps, the styles
are optimised from there by the losses of Fusion.

Example: atelier stylize skimage:rocket "Turn the rocket to fire" --method attention
"""

from __future__ import annotations

from lightning_modules.fusion import Fusion


class Attention(Fusion):
    """Up to eight regions in one pass of a trained network; losses and settings are Fusion's."""
