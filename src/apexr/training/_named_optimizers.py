"""The optimizers of Optax that need nothing but a gradient, by their names there."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import optax
from optax import contrib

from apexr.kernels import on_vectors
from apexr.training._optimizers import optimizer

NAMED_OPTIMIZERS = {
    "adabelief": "Adam scaled by how much a gradient surprises (Zhuang et al. 2020).",
    "adadelta": "steps from running means of gradients and of steps (Zeiler 2012).",
    "adafactor": "adaptive with factored second moments (Shazeer & Stern 2018).",
    "adagrad": "scaled by the sum of all squared gradients (Duchi et al. 2011).",
    "adam": "Adam with β₁ = 0.9, β₂ = 0.999, ε = 1e-8 (Kingma & Ba 2015, algorithm 1).",
    "adamax": "Adam with the infinity norm (Kingma & Ba 2015, algorithm 2).",
    "adamaxw": "AdaMax with decoupled weight decay.",
    "adamw": "Adam with decoupled weight decay (Loshchilov & Hutter 2019).",
    "adan": "adaptive Nesterov momentum (Xie et al. 2022).",
    "amsgrad": "Adam with the largest second moment so far (Reddi et al. 2018).",
    "lamb": "Adam with a trust ratio for each layer (You et al. 2020).",
    "lars": "momentum with a trust ratio for each layer (You et al. 2017).",
    "lion": "the sign of an interpolated momentum (Chen et al. 2023).",
    "nadam": "Adam with Nesterov momentum (Dozat 2016).",
    "nadamw": "AdamW with Nesterov momentum.",
    "novograd": "second moments for each layer (Ginsburg et al. 2019).",
    "optimistic_gradient_descent": "gradient descent that extrapolates (Mokhtari et al. 2019).",
    "radam": "rectified Adam (Liu et al. 2020).",
    "rmsprop": "scaled by a running mean of squared gradients (Hinton 2012).",
    "sgd": "stochastic gradient descent; with an option, with momentum.",
    "sign_sgd": "the sign of the gradient (Bernstein et al. 2018).",
    "yogi": "Adam with additive second moments (Zaheer et al. 2018).",
}
"""Optax's optimizers that are registered by name, each with a line about it."""

SHAPED = {"adafactor"}
"""Those to which it matters how the numbers of an array of weights are arranged."""


def _register(name: str, meaning: str) -> None:
    make: Callable[..., optax.GradientTransformation] = getattr(optax, name)

    def named(rate: optax.Schedule, **options: Any) -> optax.GradientTransformation:
        made = make(rate, **options)
        return made if name in SHAPED else on_vectors(made)

    named.__doc__, named.__name__, named.__qualname__ = meaning, name, name
    named.__signature__ = inspect.signature(make)  # type: ignore[attr-defined] # its options
    optimizer(name)(named)


for _name, _meaning in NAMED_OPTIMIZERS.items():
    _register(_name, _meaning)


@optimizer("sm3")
def sm3(rate: optax.Schedule, *, momentum: float = 0.9) -> optax.GradientTransformation:
    """adaptive in little memory (Anil et al. 2019)."""  # noqa: D403 - stands in a table
    return optax.chain(optax.scale_by_sm3(momentum), optax.scale_by_learning_rate(rate))


@optimizer("muon")
def muon(
    rate: optax.Schedule,
    *,
    beta: float = 0.95,
    nesterov: bool = True,
    weight_decay: float = 0.0,
    consistent_rms: float = 0.2,
) -> optax.GradientTransformation:
    """orthogonalized momentum of weight matrices, AdamW of all else (Jordan et al. 2024).

    The momentum ``M = U S Vᵀ`` of a matrix is replaced by about ``U Vᵀ``, by five steps of a
    Newton-Schulz iteration. A convolution's weight ``(out, in, *kernel)`` is the matrix of ``out``
    rows. Arrays of other names than ``weight``, such as the modes of an FNO, and weights with a
    single input or output channel are trained by AdamW. ``consistent_rms`` is the root mean square
    of a step over the learning rate, so that the rates of Adam suit matrices, too.

    References
    ----------
    Jordan et al. (2024), "Muon: An optimizer for hidden layers in neural networks"; Liu et al.
    (2025), "Muon is Scalable for LLM Training", arXiv:2502.16982, equation 4.
    """  # noqa: D403 - its first line stands in a table
    return contrib.muon(
        rate,
        beta=beta,
        nesterov=nesterov,
        weight_decay=weight_decay,
        adam_weight_decay=weight_decay,
        consistent_rms=consistent_rms,
        muon_weight_dimension_numbers=_matrices,
    )


def _matrices(params: Any) -> Any:
    """Return for each array which of its axes are the rows and the columns; None for no matrix."""

    def axes(path: Any, leaf: Any) -> contrib.MuonDimensionNumbers | None:
        name = jax.tree_util.keystr(path[-1:], simple=True) if path else ""
        if name != "weight" or leaf.ndim < 2 or 1 in leaf.shape[:2]:
            return None
        return contrib.MuonDimensionNumbers(tuple(range(1, leaf.ndim)), 0)

    return jax.tree_util.tree_map_with_path(axes, params)
