"""A step as one CUDA graph: the processor launches it once, instead of its thousand kernels.

At paper settings a fast GPU has finished the kernels of a step before the processor has launched
them (docs/performance.md). The first steps run kernel by kernel; then the step, from the generator
to the gradients, is recorded, and every further one replays the record. Random numbers go on as
without it. The optimizer and the schedule of the learning rate stay outside.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

PLAIN = 3  # steps before the record, in which libraries choose their kernels


class StepGraph:
    """Record of a step: its losses and the gradients of its weights.

    Args:
        step: function to the losses by name, with `loss` among them, whose backward pass gives the
            gradients. It must neither wait for the device nor decide by values on it.
        weights: all with gradients.
        random: source of the step's random numbers, on the device.
    """

    def __init__(
        self, step: Callable[[], dict[str, Tensor]], weights: list[nn.Parameter], random: object
    ) -> None:
        for weight in weights:
            weight.grad = None  # the record makes gradients of its own, and sets them anew
        self.graph = torch.cuda.CUDAGraph()
        self.graph.register_generator_state(random)
        with torch.cuda.graph(self.graph):
            losses = step()
            losses["loss"].backward()
            self.values = torch.stack([loss.detach() for loss in losses.values()])
        self.names, self.weights = list(losses), weights
        self.gradients = [weight.grad for weight in weights]

    def replay(self) -> dict[str, Tensor]:
        """Losses of the next step by name; its gradients are ready for `give_gradients`."""
        self.graph.replay()
        return dict(zip(self.names, self.values.clone().unbind(), strict=True))

    def give_gradients(self) -> None:
        """Set the weights' gradients to those of the latest replay."""
        for weight, gradient in zip(self.weights, self.gradients, strict=True):
            weight.grad = gradient
