"""CLIPstyler's fast mode (Kwon and Ye 2022, published code): one decoder per text, one pass per
picture.

Decoders behind a frozen encoder have each learned one text, on crops of photos. The decoder of a
region's text paints it, and a blend of texts is painted by the weighted mean of their decoders.
With --steps, the decoder's weights are optimised from there by the losses of Fusion.

Example: atelier stylize skimage:rocket "Turn the rocket to fire" --method clipstyler_fast

`atelier train clipstyler_fast --style fire` trains the decoder of a text, which then lies in
~/.local/share/atelier/decoders, or where ATELIER_DATA or --model.generator.decoders says. A text
without a decoder is refused. The published code raises the contrast by half and stretches it:
output_enhanced.png on --models paper. No package ships AdaIN's networks: on the embedded models the
encoder is the first three convolutions of the embedded painter, and a decoder begins as its rest.
"""

from __future__ import annotations

from lightning_modules.fusion import Fusion


class CLIPstylerFast(Fusion):
    """Up to eight regions, one pass of a trained decoder each; losses and settings are Fusion's."""
