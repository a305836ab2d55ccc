"""Updates of weights as long vectors.

On a CPU a loop over the last axis of a kernel, of three numbers or twelve, takes several times as
long as one over all of its numbers. Barriers keep the compiler from going back to the former.
"""

from typing import TYPE_CHECKING, Any

import jax

from apexr.kernels._barriers import computed_once

if TYPE_CHECKING:
    import optax


def on_vectors(inner: "optax.GradientTransformation") -> "optax.GradientTransformation":
    """Return a transformation that gives ``inner`` each array of weights as a vector.

    To ``inner`` it must not matter how the numbers of an array are arranged. The state keeps the
    shapes of the weights.
    """
    import optax

    def update(gradient: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        changes, new = inner.update(*map(_as_vectors, (gradient, state, params)))
        state = _shaped_like(state, computed_once(new))
        return _shaped_like(gradient, changes), state

    return optax.GradientTransformation(inner.init, update)


def add_changes(params: Any, changes: Any) -> Any:
    """Return the weights after an update, like :func:`optax.apply_updates`."""
    import optax

    new = optax.apply_updates(*map(_as_vectors, (params, changes)))
    return _shaped_like(params, computed_once(new))


def _as_vectors(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf.reshape(-1) if leaf.ndim else leaf, tree)


def _shaped_like(shaped: Any, vectors: Any) -> Any:
    return jax.tree.map(lambda leaf, vector: vector.reshape(leaf.shape), shaped, vectors)
