"""The painter: a pretrained stylizer of which only the style is optimised.

A network that was trained on many paintings shares its convolutions among them; a style is the
scale and the shift of every instance norm, about a thousand numbers (Dumoulin et al. 2017, arXiv
1610.07629, eq. 5). Only these numbers, the *code*, are optimised here. Whatever their values, the
result is painted: strokes stay strokes, and there is no colour noise to regularise away. The woven
mesh that the published networks leave is removed where it arises, in their enlargements.

The code starts at the style of the catalogue whose description is nearest to the text. For a style
picture it starts at the code that a second network predicts from that picture (Ghiasi et al. 2017,
arXiv 1705.06830).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datamodules.models import embedded_networks, packaged
from datamodules.models.cache import once_per_process
from datamodules.task import StyleBatch
from lightning_modules.generators.base import Generator
from lightning_modules.generators.enlarging import (
    GENTLE,
    NONE,
    THOROUGH,
    enlarge,
    without_checkerboard,
)
from lightning_modules.generators.norms import instance_norm
from lightning_modules.generators.painter_styles import (
    FAMILIAR,
    PainterStyle,
    color_in,
    foreign_to,
    nearest_style,
)

# Scales and shifts the maps (N, C, h, w) of the styled layer with this number.
Restyle = Callable[[int, Tensor], Tensor]

DOWN = 3  # convolutions that make the picture smaller
SHOW = "--style-image shows it a style"
# Last layers that keep the code of a familiar style: its palette, without checkerboard artefacts.
FIXED = 3


class StyleConditioned(nn.Module):
    """Frozen stylizer: picture and code in, picture out.

    Three convolutions down by 4, residual blocks, three up again (Johnson et al. 2016); edges are
    reflected, each convolution is followed by instance norm and ReLU, the last one by a sigmoid.

    Args:
        filters: weights (out, in, k, k) of all convolutions in order.
        biases: of the first convolutions; those with a bias are not normalised and have no style.
        checkered: whether the residual blocks strengthen a checkerboard in some styles.
    """

    def __init__(
        self, filters: list[Tensor], biases: list[Tensor], checkered: bool = False
    ) -> None:
        super().__init__()
        self.checkered = checkered
        # Channels side by side: half the time for convolutions of 3 to 32 channels.
        filters = [kernel.contiguous(memory_format=torch.channels_last) for kernel in filters]
        self.filters = nn.ParameterList(filters).requires_grad_(False)
        self.biases = nn.ParameterList(biases).requires_grad_(False)
        self.widths = [len(kernel) for kernel in filters[len(biases) :]]

    def forward(self, content: Tensor, code: Tensor, smooth: bool = True) -> Tensor:
        """Pictures (N, 3, H, W) in [0, 1], painted in the style of `code`.

        content: (N, 3, H, W) in [0, 1]. code: (2, sum of widths), scales and shifts, or one per
            picture, (N, 2, sum of widths).
        smooth: filters around the enlargements; without them the network is the published one.
        """
        restyle = restyle_by(code, self.widths)
        height, width = content.shape[-2:]
        features = self.contract(content, restyle)
        return self.expand(features, restyle, smooth)[..., :height, :width]

    def contract(self, content: Tensor, restyle: Restyle | None = None) -> Tensor:
        """Features (N, C, h, w) of pictures (N, 3, H, W), at a quarter of their size rounded up.

        restyle: scales and shifts the normalised maps of these layers; none where they have biases.
        """
        height, width = content.shape[-2:]
        margins = (0, max(12 - width, -width % 4), 0, max(12 - height, -height % 4))
        x = F.pad(content, margins, mode="replicate")
        for index, stride in enumerate((1, 2, 2)):
            x = self._layer(index, x, restyle, self.filters[index], stride).relu_()
        return x

    def expand(
        self, x: Tensor, restyle: Restyle, smooth: bool = True, kernels: Sequence[Tensor] = ()
    ) -> Tensor:
        """Pictures (N, 3, 4h, 4w) in [0, 1] from features (N, C, h, w); see `contract`.

        kernels: weights of these layers in place of the network's own.
        """
        # The gentle one comes first, where 2 px will be 4 px and may be part of a stroke.
        low_passes = (GENTLE, THOROUGH) if smooth else (NONE, NONE)
        kernels = [*self.filters[:DOWN], *(kernels or self.filters[DOWN:])]
        last = len(kernels) - 1

        def layer(index: int, x: Tensor) -> Tensor:
            return self._layer(index, x, restyle, kernels[index])

        for first in range(DOWN, last - 2, 2):
            x = x + layer(first + 1, layer(first, x).relu_())
        if smooth and self.checkered:
            x = without_checkerboard(x)
        for index, taps in zip((last - 2, last - 1), low_passes, strict=True):
            x = layer(index, enlarge(x, taps)).relu_()
        return torch.sigmoid(layer(last, x))

    def _layer(
        self, index: int, x: Tensor, restyle: Restyle | None, kernel: Tensor, stride: int = 1
    ) -> Tensor:
        unstyled = len(self.biases)
        x = F.pad(x, [kernel.shape[-1] // 2] * 4, mode="reflect")
        if index < unstyled:
            return F.conv2d(x, kernel, self.biases[index], stride)
        return restyle(index - unstyled, instance_norm(F.conv2d(x, kernel, stride=stride)))


def restyle_by(code: Tensor, widths: Sequence[int]) -> Restyle:
    """Scales and shifts from a code (2, sum of widths), or one per picture, (N, 2, sum)."""
    scales, shifts = (part.split(widths, dim=-1) for part in code.unbind(-2))

    def restyle(layer: int, x: Tensor) -> Tensor:
        scale, shift = (part[layer][..., None, None] for part in (scales, shifts))
        return torch.addcmul(shift, x, scale)

    return restyle


@once_per_process
def multistyle() -> tuple[StyleConditioned, Tensor]:
    """Network of 26 paintings, and their codes (26, 2, 495)."""
    weights = embedded_networks.onnx_weights(packaged.MULTISTYLE)
    layers = [name.removesuffix(".w") for name in weights if name.endswith(".w")]
    codes = [
        torch.cat([weights[f"{layer}.norm.{part}"] for layer in layers], dim=1)
        for part in ("gamma", "beta")
    ]
    network = StyleConditioned([weights[f"{layer}.w"] for layer in layers], biases=[])
    return network, torch.stack(codes, dim=1)


@once_per_process
def arbitrary() -> tuple[StyleConditioned, Tensor, Tensor]:
    """Network of arbitrary styles, and the linear map from the predictor's 100 features to a code:
    matrix (2, 347, 100) and offset (2, 347).

    The 8-bit weights are dequantised; activations are not rounded.
    """
    weights = embedded_networks.onnx_weights(packaged.STYLE_TRANSFORMER)
    down = [f"contract/conv{k}" for k in (1, 2, 3)]
    middle = [f"residual/residual{k}/conv{part}" for k in range(1, 6) for part in (1, 2)]
    normalised = [*middle, *(f"expand/conv{k}/conv" for k in (1, 2, 3))]

    def tensors(layers: list[str], name: str) -> list[Tensor]:
        return [weights[f"{layer}/{name}_dequant"] for layer in layers]

    network = StyleConditioned(
        tensors([f"transformer/{layer}" for layer in [*down, *normalised]], "weights"),
        tensors([f"transformer/{layer}" for layer in down], "Conv2D_bias"),
        checkered=True,
    )
    heads = [
        [f"style_params/transformer/{layer}/StyleNorm/{part}" for layer in normalised]
        for part in ("Conv_1", "Conv")  # scales, shifts
    ]
    matrix = torch.stack([torch.cat(tensors(part, "weights"))[..., 0, 0] for part in heads])
    offset = torch.stack([torch.cat(tensors(part, "Conv2D_bias")) for part in heads])
    return network, matrix, offset


def read_style(picture: Tensor) -> tuple[StyleConditioned, Tensor]:
    """Network of arbitrary styles, and the code (2, 347) of a style picture (1, 3, h, w)."""
    network, matrix, offset = arbitrary()
    return network, matrix @ bottleneck(picture) + offset


def bottleneck(picture: Tensor) -> Tensor:
    """Features (100,) of a style picture (1, 3, h, w) by Ghiasi's predictor."""
    # Else it keeps an identifier of this machine and reports to Microsoft.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    side = min(picture.shape[2:])
    top, left = ((size - side) // 2 for size in picture.shape[2:])
    square = picture[..., top : top + side, left : left + side]
    scaled = F.interpolate(square, (256, 256), mode="bicubic", antialias=True).clamp(0, 1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    path = packaged.locate(packaged.STYLE_PREDICTOR)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (vector,) = session.run(None, {"style_image": scaled.permute(0, 2, 3, 1).cpu().numpy()})
    return torch.from_numpy(vector).flatten()


def code_of(style: PainterStyle, color: str = "") -> tuple[StyleConditioned, Tensor]:
    """Network and code of a style; a swatch is dyed in a CSS colour first, unless that is ""."""
    if style.swatch:
        return read_style(style.picture(color))
    network, codes = multistyle()
    return network, codes[style.code]


class Painter(Generator):
    """Painter of every region in the code of its styles; only the codes are optimised.

    Styles of one region are blended as codes if they belong to one network (Dumoulin et al.,
    section 3.3), and as pictures if they belong to two.

    Args:
        pace: factor on the learning rate of the codes. Familiar styles keep the last FIXED layers.
        rough_pace: the same for an unfamiliar style, whose code has further to go.
        smooth: filters around the networks' enlargements, against a woven mesh; false for the
            networks as they were published.
    """

    def __init__(self, pace: float = 1.0, rough_pace: float = 6.0, smooth: bool = True) -> None:
        super().__init__()
        self.pace, self.rough_pace, self.smooth = pace, rough_pace, smooth
        self.networks, self.moves = nn.ModuleList(), nn.ParameterList()
        self.parts: list[tuple[int, float]] = []  # region, and share of the code in it

    def start(self, batch: StyleBatch) -> None:
        """Set the codes by the styles; pixels that no mask covers belong to the first region."""
        where = batch.shares
        for region, blend in enumerate(batch.styles):
            parts = [(weight, *self._code(text)) for weight, text in blend]
            if region == 0 and batch.style_image is not None:
                weight = sum(weight for weight, _ in blend) or 1.0
                parts.append((weight, *read_style(batch.style_image), self.pace))
            total = sum(weight for weight, *_ in parts)
            for network in {id(network): network for _, network, *_ in parts}.values():
                same = [part for part in parts if part[1] is network]
                share = sum(weight for weight, *_ in same)
                code = sum(weight * code for weight, _, code, _ in same) / share
                pace = max(pace for *_, pace in same)
                self.parts.append((region, share / total))
                self._add(network, code, pace, where[region] * share / total)

    def final_styles(self) -> dict[str, Tensor]:
        styles = {}
        for k, (region, share) in enumerate(self.parts):
            styles[f"region{region}.part{k}.code"] = self._code_now(k).detach()
            styles[f"region{region}.part{k}.share"] = torch.tensor(share)
        return styles

    def alone(self, styles: Mapping[str, Tensor], region: int) -> nn.Module:
        names = [name for name in styles if re.fullmatch(rf"region{region}\.part\d+\.code", name)]
        codes = [styles[name] for name in names]
        shares = [float(styles[name.replace("code", "share")]) for name in names]
        return Mixture(codes, shares, self.smooth) if codes else super().alone(styles, region)

    def _code_now(self, part: int) -> Tensor:
        return getattr(self, f"code{part}") + getattr(self, f"paces{part}") * self.moves[part]

    def _code(self, text: str) -> tuple[StyleConditioned, Tensor, float]:
        """Network, code and pace for a style text; a warning if it is unfamiliar."""
        style, words, similarity = nearest_style(text)
        if similarity < FAMILIAR:
            self.remark(
                f"The painter has no style like {text!r} and starts from {words!r}: expect a rough "
                f"likeness; {SHOW}"
            )
        elif foreign := foreign_to(style, text):
            self.remark(
                f"The painter knows no {' '.join(foreign)!r} and starts {text!r} from {words!r}, "
                f"which may differ in substance; {SHOW}"
            )
        pace = self.pace if similarity >= FAMILIAR else self.rough_pace
        return *code_of(style, color_in(text, words)), pace

    def _add(self, network: StyleConditioned, code: Tensor, pace: float, share: Tensor) -> None:
        number, fixed = len(self.moves), sum(network.widths[-FIXED:])
        paces = torch.full_like(code, pace)
        paces[:, -fixed:] = 0 if pace == self.pace else pace
        self.networks.append(network)
        self.moves.append(torch.zeros_like(code))
        for name, value in {"code": code, "paces": paces, "share": share}.items():
            self.register_buffer(f"{name}{number}", value)

    def forward(self, content: Tensor) -> Tensor:
        painted = torch.zeros_like(content)
        for k, network in enumerate(self.networks):
            share = getattr(self, f"share{k}")
            if content.shape[2:] != share.shape:  # larger than in the optimisation
                share = F.interpolate(share[None, None], content.shape[2:], mode="bilinear")
            paint = partial(network, smooth=self.smooth)
            painted = painted + share * self.part(paint, content, self._code_now(k))
        return painted


class Mixture(nn.Module):
    """Painter of everything in codes (2, W), whose pictures are added by their shares."""

    def __init__(self, codes: Sequence[Tensor], shares: Sequence[float], smooth: bool) -> None:
        super().__init__()
        networks = {sum(net.widths): net for net in (multistyle()[0], arbitrary()[0])}
        self.networks = nn.ModuleList(networks[code.shape[1]] for code in codes)
        for k, code in enumerate(codes):
            self.register_buffer(f"code{k}", code)
        self.shares, self.smooth = shares, smooth

    def forward(self, content: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in [0, 1] from content images of the same size and range."""
        painted = torch.zeros_like(content)
        for k, (network, share) in enumerate(zip(self.networks, self.shares, strict=True)):
            painted = painted + share * network(content, getattr(self, f"code{k}"), self.smooth)
        return painted
