"""The compiler computes once what is to be computed once."""

import jax
import jax.numpy as jnp

from apexr._compile import keeping_barriers

BARRIER = "opt-barrier"


def compiled(options):
    """Return the program that reads what lies behind a barrier twice."""

    def function(x):
        kept = jax.lax.optimization_barrier(jnp.maximum(x + 1, 0))
        return jnp.flip(kept) + jnp.roll(kept, 1)

    return jax.jit(function, compiler_options=options).lower(jnp.ones(64)).compile().as_text()


def test_barriers_are_kept_on_a_cpu():
    if jax.default_backend() != "cpu":
        assert keeping_barriers() == {}
        return
    assert BARRIER in compiled(keeping_barriers())
    assert BARRIER not in compiled({})  # once it is, there is no need to ask for it
