"""Compiled helpers that the tests of several equations share."""

import jax
import numpy as np


@jax.jit
def advance_many(kernel, u_hat, count):
    """Return the spectrum ``count`` steps later; one program for every count."""
    return jax.lax.fori_loop(0, count, lambda _, u: kernel(u), u_hat)


def count_transforms(function, *arguments):
    """Return how many fields all Fourier transforms of a function take together."""
    return _count(jax.make_jaxpr(function)(*arguments).jaxpr)


def _count(jaxpr):
    total = 0
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "fft":
            axes = len(eqn.params["fft_lengths"])
            total += int(np.prod(eqn.invars[0].aval.shape[:-axes]))
        for inner in eqn.params.values():
            total += _count(inner.jaxpr) if hasattr(inner, "jaxpr") else 0
    return total
