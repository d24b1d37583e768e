"""Attention (Cyizere 2024, figure 2b): each position of the picture asks the text for its style.

Content features and the tokens of a style text meet in cross-attention; a decoder paints the fused
features, in one pass per region (lightning_modules/generators/attention.py has the formulas). The
network is trained by content, directional, patch and contrastive losses. With --steps, the styles
are optimised from there by the losses of Fusion.

On the embedded models encoder and decoder are the two halves of the frozen painter, and the shipped
weights come from eight minutes of training on one processor core
(experiments/make/attention_weights.py). They paint the styles of 769 texts recognisably: fire,
mosaic and neon light much as the painter itself, Starry Night by its palette rather than by its
swirls. A colour in the text is followed loosely: green crystal is bluish. A text that means another
style gets some palette, hardly ever its own, and a warning where no learned text is near. The
photo's content stays. After so short a training the places of a picture get nearly the same style.
docs/embedded.md has the sheets and scores.

Example: atelier stylize skimage:chelsea "Turn the cat to 0.5*Starry Night + 0.5*gold"
--method attention
"""

from __future__ import annotations

from lightning_modules.fusion import Fusion


class Attention(Fusion):
    """Up to eight regions in one pass of a trained network; losses and settings are Fusion's."""
