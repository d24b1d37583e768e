"""Contract of methods, checked in a class and in what its functions return.

A method is a subclass of Stylization with three functions:

    prepare(batch)                    once, before the first step; calls super().prepare(batch)
    views(output, batch)              pictures (V, 3, S, S) in [0, 1] for the encoder, S its side
    losses(output, features, batch)   one scalar per name in `weights`, with a gradient

`prepare` may be left out by a method that needs nothing before the first step. Whatever is missing
or of another kind is one sentence that names the class, its file and the function.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from datamodules.support.errors import AtelierError
from datamodules.support.own_classes import label, refuse_abstract

FUNCTIONS = {
    "prepare": ("batch",),
    "views": ("output", "batch"),
    "losses": ("output", "features", "batch"),
}


def refuse_unfinished(method: type) -> None:
    """AtelierError for a class that lacks a function, or has one with other arguments."""
    refuse_abstract(method)
    for name, arguments in FUNCTIONS.items():
        signature = inspect.signature(getattr(method, name))
        try:
            signature.bind(None, *arguments)
        except TypeError as error:
            raise AtelierError(
                f"{label(method)} has the function {name}{signature}; write it as "
                f"{name}(self, {', '.join(arguments)})"
            ) from error


def check_prepared(method: Any) -> None:
    """AtelierError for a method whose `prepare` has left out that of Stylization."""
    if not hasattr(method, "shared"):
        raise AtelierError(
            f"prepare of {label(type(method))} does not call super().prepare(batch); let it begin "
            "with that"
        )


def check_views(method: Any, views: Any) -> None:
    """AtelierError for views that the encoder cannot take."""
    side = method.encoder.image_size
    if not isinstance(views, Tensor) or tuple(views.shape[1:]) != (3, side, side):
        raise AtelierError(
            f"views of {label(type(method))} returns {_shown(views)}; return pictures "
            f"(V, 3, {side}, {side}) in [0, 1], such as self.viewer.view(output)"
        )


def check_losses(method: Any, losses: Any) -> None:
    """AtelierError for losses that are no scalars by name, or whose names are not the weights'."""
    whose = f"losses of {label(type(method))}"
    if not isinstance(losses, dict):
        raise AtelierError(f"{whose} returns {_shown(losses)}; return a scalar per name: a dict")
    for name, loss in losses.items():
        if not isinstance(loss, Tensor) or loss.ndim:
            raise AtelierError(
                f"{whose} gives {name!r} as {_shown(loss)}; give a scalar tensor, such as .mean()"
            )
    check_names(losses, method.weights, whose)
    attached = any(loss.requires_grad for loss in losses.values())
    if torch.is_grad_enabled() and not attached:
        raise AtelierError(
            f"{whose} gives nothing with a gradient; compute the losses from output or features, "
            "without detach() and no_grad()"
        )


def check_names(
    losses: Mapping[str, Any], weights: Mapping[str, float], whose: str = "losses of this method"
) -> None:
    """AtelierError if a loss has no weight or a weight no loss."""
    if losses.keys() != weights.keys():
        raise AtelierError(
            f"model.weights names {sorted(weights)}, but the {whose} are {sorted(losses)}: give "
            "each exactly one weight (0 switches it off)"
        )


def _shown(value: Any) -> str:
    """Description of a value: a tensor by its shape, any other by its class."""
    if isinstance(value, Tensor):
        return f"a tensor {tuple(value.shape)}"
    return "nothing" if value is None else f"a {type(value).__name__}"
