"""Checks the shapes in annotations while the tests run.

The import hook of jaxtyping gives each function of some packages to :func:`check_shapes`. Arrays
then have the kind of numbers and the dimensions that their annotations state, and a dimension has
one size throughout a call. NumPy's arrays pass where JAX's are annotated, since the host and traced
programs share functions; all other types are mypy's.
"""

import functools
import inspect
import typing
from types import UnionType

import jaxtyping

PACKAGES = ("kernels", "metrics", "networks", "objectives")
"""The packages whose functions are checked."""


def check_annotated_shapes():
    """Check the packages from now on; call it before they are imported."""
    names = [f"apexr.{name}" for name in PACKAGES]
    jaxtyping.install_import_hook(names, f"{__name__}.check_shapes")


def check_shapes(function):
    """Return the function, which raises a TypeError for arrays of other shapes."""
    signature = inspect.signature(function)
    given = {
        name: kinds
        for name, parameter in signature.parameters.items()
        if (kinds := _arrays(parameter.annotation))
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    returned = _arrays(signature.return_annotation)

    @functools.wraps(function)
    def checked(*args, **kwargs):
        bound = signature.bind(*args, **kwargs).arguments
        for name, kinds in given.items():
            if name in bound:
                _check(name, bound[name], kinds)
        result = function(*args, **kwargs)
        if returned:
            _check("the result", result, returned)
        return result

    return checked if given or returned else function


def _arrays(annotation):
    """Return the kinds of arrays that an annotation allows, whoever made the array."""
    if annotation == jaxtyping.PRNGKeyArray:  # several keys are annotated so, too
        return []
    if typing.get_origin(annotation) in (typing.Union, UnionType):
        return [kind for part in typing.get_args(annotation) for kind in _arrays(part)]
    if isinstance(annotation, type) and issubclass(annotation, jaxtyping.AbstractArray):
        return [annotation.dtype[typing.Any, annotation.dim_str]]
    return []


def _check(name, value, kinds):
    is_array = hasattr(value, "shape") and hasattr(value, "dtype")
    if is_array and not any(isinstance(value, kind) for kind in kinds):
        found = f"{value.dtype}{list(value.shape)}"
        raise TypeError(f"{name} is {found}, not {' | '.join(map(repr, kinds))}")
