"""The compiler computes once what is to be computed once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.kernels import _compile
from apexr.kernels._compile import JitKeepingBarriers, keeping_barriers, one_thread_each

BARRIER = "opt-barrier"
ON_A_CPU = pytest.mark.skipif("jax.default_backend() != 'cpu'", reason="options of CPUs")


def twice(x):
    """Read what lies behind a barrier twice."""
    kept = jax.lax.optimization_barrier(jnp.maximum(x + 1, 0))
    return jnp.flip(kept) + jnp.roll(kept, 1)


def again(x):
    """Do so in a loop of a few numbers, which newer compilers make one kernel of."""
    return jax.lax.fori_loop(0, 3, lambda _, x: twice(x), x)


def text(function, options, shape=(64,)):
    given = jax.ShapeDtypeStruct(shape, "float32")
    return jax.jit(function, compiler_options=options).lower(given).compile().as_text()


@ON_A_CPU
@pytest.mark.parametrize("function", [twice, again])
def test_barriers_are_kept_on_a_cpu(function):
    assert BARRIER in text(function, keeping_barriers())
    assert BARRIER not in text(function, {})  # once it is, there is no need to ask for it


@ON_A_CPU
def test_no_operation_is_cut_into_tasks_where_every_core_has_its_own():
    tasks = "outer_dimension_partitions"
    assert tasks not in text(jnp.sin, one_thread_each(), (512, 512))
    if jax.local_device_count() > 1:
        assert tasks in text(jnp.sin, {}, (512, 512))


def test_other_devices_get_no_options_of_cpus(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    for options in (keeping_barriers, one_thread_each):
        assert options.__wrapped__() == {}


def test_options_and_passes_of_other_compilers_are_left_out(monkeypatch):
    assert _compile._known({"xla_no_such_option": True, "xla_cpu_enable_fast_math": False}) == {
        "xla_cpu_enable_fast_math": False
    }
    made = _compile._effective(
        {"xla_no_such_option": True, "xla_cpu_enable_fast_math": False},
        without="no-such-pass",
        program=lambda x: jax.lax.optimization_barrier(x) + 1,
        holds=lambda text: BARRIER in text,
    )
    assert made == {"xla_cpu_enable_fast_math": False}


def test_what_cannot_be_compiled_with_barriers_is_compiled_without(monkeypatch):
    monkeypatch.setattr(_compile, "keeping_barriers", lambda: {"xla_no_such_option": True})
    x = np.arange(8.0, dtype="f4")
    for use in (
        lambda jitted: jitted(jnp.asarray(x)),
        lambda jitted: jitted.compiled(x)(x),
        lambda jitted: jitted.ahead(x).result()[0](x),
    ):
        jitted = JitKeepingBarriers(twice, donate_argnums=(0,))
        np.testing.assert_array_equal(use(jitted), twice(x))
        np.testing.assert_array_equal(jitted(jnp.asarray(x)), twice(x))


def test_errors_while_a_program_runs_are_errors():
    calls = []

    def fail(x):
        calls.append(x)
        raise ValueError("on the host")

    jitted = JitKeepingBarriers(lambda x: jax.pure_callback(fail, x, twice(x)))
    with pytest.raises(jax.errors.JaxRuntimeError, match="on the host"):
        jitted(jnp.ones(8)).block_until_ready()
    assert len(calls) == 1
