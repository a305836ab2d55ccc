"""What every registered network keeps to, whatever it is."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from _tiny import filled
from apexr._parts import without_fixed
from apexr.engine import EmulatorPlan, Predict, count_parameters
from apexr.errors import ShapeError, SpecError
from apexr.networks import NETWORKS, Moments, Statistics
from apexr.spectral import Grid
from apexr.training import as_batched

EXAMPLES = {
    "AViT": "AViT;48;2;1;4",
    "CNeXt": "CNeXt;3;1;1",
    "Conv": "Conv;3;1;tanh",
    "Dil": "Dil;1;3;1;tanh",
    "FFNO": "FFNO;2;3;1;2",
    "FNO": "FNO;2;3;1;gelu",
    "LocalNO": "LocalNO;4;3;2",
    "MLP": "MLP;5;1;swish",
    "MoRes": "MoRes;3;1;tanh",
    "MoUNet": "MoUNet;2;1;tanh",
    "Pure": "Pure;3",
    "Res": "Res;3;1;tanh",
    "TFNO": "TFNO;4;3;2;0.5",
    "Trans": "Trans;4;1;1;tanh",
    "UNO": "UNO;3;2",
    "UNet": "UNet;2;1;tanh",
    "UNetMod": "UNetMod;8;1,2;1;tanh",
    "bundle": "bundle;2;Conv;3;1;tanh",
    "delta": "delta;Conv;3;1;tanh",
    "history": "history;2;Conv;3;1;tanh",
    "norm": "norm;zscore;Conv;3;1;tanh",
}
DIMS = {"AViT": (2, 3), "Trans": (1,)}
"""In how many dimensions a network works; in all where none are given."""
SHIFTS = {"CNeXt": 2, "MoUNet": 2, "UNO": 2, "UNet": 2, "UNetMod": 2, "AViT": 0, "MLP": 0}
"""By how many points a shift goes through the network; by any number where none is given."""
IN_DOUBLE = {"UNO", "UNetMod"}
"""What is so deep that its rounding in single precision would hide the rest."""
POINTS, BATCH = 8, 3
PAIRS = [(name, dims) for name in NETWORKS.names() for dims in DIMS.get(name, (1, 2, 3))]
PLAIN = {"Conv", "FNO", "MLP", "Pure", "Res", "UNet", "delta", "norm"}
"""What compiles in a moment on several axes; the others' blocks are made of the same parts."""
LONG_PAIRS = {(n, d) for n, d in PAIRS if d != DIMS.get(n, (1,))[0] and n not in PLAIN}
"""Networks whose gradients compile for long."""
CASES = [
    pytest.param(
        *(name, dims, channels),
        id=f"{name}-{dims}d-{channels}c",
        marks=[pytest.mark.quick] * (dims == DIMS.get(name, (1,))[0] and channels == 1)
        + [pytest.mark.slow] * (dims == 3 and name not in PLAIN),
    )
    for name, dims in PAIRS
    for channels in ((1, 2) if dims == DIMS.get(name, (1,))[0] else (2,))
]
DERIVED = [
    pytest.param(name, dims, marks=[pytest.mark.slow] * ((name, dims) in LONG_PAIRS or dims == 3))
    for name, dims in PAIRS
]
DEEP = {"AViT", "CNeXt", "MoUNet", "UNO", "UNetMod"}
"""Networks whose second derivatives compile for long."""

MOMENTS = Moments(*np.random.default_rng(2).uniform(0.5, 2, size=(5, 2)))


def states(dims, channels, name="Conv", batch=BATCH):
    """Return states of a network, which may hold several frames."""
    channels *= NETWORKS.parse(EXAMPLES[name]).frames.held
    shape = (batch, channels, *(POINTS,) * dims)
    return np.random.default_rng(1).normal(size=shape).astype("f4")


def drawn(name, dims, channels):
    """Return a network of the kind with weights made by NumPy; statistics are those of data."""
    spec = NETWORKS.parse(EXAMPLES[name])
    net = filled(lambda key: spec.build(Grid(dims, POINTS), channels, key))
    moments = Moments(*(value[:channels] for value in vars(MOMENTS).values()))
    return jax.tree.map(
        lambda node: node.measured(moments) if isinstance(node, Statistics) else node,
        net,
        is_leaf=lambda node: isinstance(node, Statistics),
    )


def test_every_network_is_tried():
    assert set(EXAMPLES) == set(NETWORKS.names()), "add an example of the new network here"


@pytest.mark.parametrize(("name", "dims"), DERIVED)
def test_states_that_do_not_fit_are_refused(name, dims):
    network = drawn(name, dims, 2)
    grid, count = (POINTS,) * dims, 2 * NETWORKS.parse(EXAMPLES[name]).frames.held
    assert jax.eval_shape(network, jnp.ones((count, *grid))).shape == (count, *grid)
    wrong = [(count - 1, *grid), (count + 1, *grid), grid, (count, *grid, POINTS), (count,)]
    for shape in [*wrong, (count, *grid[:-1], 0)]:
        with pytest.raises(ShapeError):
            jax.eval_shape(network, jnp.ones(shape))


@pytest.mark.parametrize("name", NETWORKS.names())
def test_strings_come_back(name):
    spec = NETWORKS.parse(EXAMPLES[name])
    assert NETWORKS.parse(str(spec)) == spec
    assert str(NETWORKS.parse(EXAMPLES[name].upper())) == str(spec) == EXAMPLES[name]
    assert hash(spec) == hash(NETWORKS.parse(str(spec)))


@pytest.mark.parametrize(("name", "dims", "channels"), CASES)
def test_networks_map_states_to_states(name, dims, channels):
    net = drawn(name, dims, channels)
    u = states(dims, channels, name)
    shift = (SHIFTS.get(name, 3), *(0,) * (dims - 1))
    axes = tuple(range(2, 2 + dims))
    params, static = eqx.partition(net, eqx.is_inexact_array)
    precise = name in IN_DOUBLE
    if precise:
        u = u.astype("f8")
        params = jax.tree.map(lambda leaf: np.asarray(leaf, "f8"), params)

    @jax.jit
    def outputs(params, u):
        net = eqx.combine(params, static)
        both = jnp.concatenate([u, jnp.roll(u, shift, axes)])
        return jax.vmap(net)(u), jnp.moveaxis(as_batched(net)(jnp.moveaxis(both, 0, 1)), 1, 0)

    with jax.enable_x64(precise):
        mapped, batched = map(np.asarray, outputs(params, u))
    assert mapped.shape == u.shape
    assert mapped.dtype == u.dtype
    assert np.isfinite(mapped).all()
    assert np.ptp(mapped) > 0
    atol = (1e-11 if precise else 4e-6) * np.abs(mapped).max()
    np.testing.assert_allclose(batched[:BATCH], mapped, atol=atol)
    moved = np.roll(mapped, shift, axes)
    np.testing.assert_allclose(batched[BATCH:], moved, atol=atol, err_msg="not periodic")


@pytest.mark.parametrize(("name", "dims"), [(name, dims) for name in DIMS for dims in (1, 2, 3)])
def test_other_dimensions_are_refused_before_any_work(name, dims):
    spec = NETWORKS.parse(EXAMPLES[name])
    if dims in DIMS[name]:
        spec.check(Grid(dims, POINTS), 1)
    else:
        other = {"AViT": "Trans", "Trans": "AViT"}[name]
        with pytest.raises(SpecError, match=f"'{spec}': attends .*{other}"):
            spec.check(Grid(dims, POINTS), 1)


@pytest.mark.parametrize(("name", "dims"), DERIVED)
def test_every_weight_has_a_finite_gradient_in_both_modes(name, dims):
    params, static = eqx.partition(drawn(name, dims, 1), eqx.is_inexact_array)
    assert not [leaf for leaf in jax.tree.leaves(static) if eqx.is_array_like(leaf)]
    assert isinstance(hash((tuple(jax.tree.leaves(static)), jax.tree.structure(static))), int)
    u = jnp.moveaxis(states(dims, 1, name), 0, 1)
    way = filled(lambda _: params, seed=3)

    def loss(params):
        return jnp.mean(as_batched(eqx.combine(params, static))(u) ** 2)

    @jax.jit
    def in_both_modes(params):
        return jax.grad(loss)(params), jax.jvp(loss, (params,), (way,))[1]

    gradient, slope = in_both_modes(params)
    terms = jax.tree.leaves(jax.tree.map(lambda a, b: np.sum(np.multiply(a, b)), gradient, way))
    np.testing.assert_allclose(slope, sum(terms), atol=1e-4 * sum(map(abs, terms)))
    gradient = jax.tree.leaves(gradient)
    assert len(gradient) == len(jax.tree.leaves(params)) > 0
    assert all(np.isfinite(leaf).all() for leaf in gradient)
    assert sum(float(jnp.abs(leaf).sum()) > 0 for leaf in gradient) > len(gradient) / 2


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name in DEEP - {"UNO"}))
        for name in NETWORKS.names()
    ],
)
def test_whole_matrices_of_derivatives_by_either_mode(name):
    dims = DIMS.get(name, (1,))[0]
    with jax.enable_x64(True):
        net = jax.tree.map(lambda leaf: leaf.astype("f8"), drawn(name, dims, 1))
        u = jnp.asarray(states(dims, 1, name, 1)[0], "f8")

        @jax.jit
        def matrices(u):
            energy = jax.hessian(lambda u: jnp.sum(net(u) ** 2))
            return energy(u).reshape(u.size, u.size), jax.jacfwd(net)(u), jax.jacrev(net)(u)

        energy, forward, reverse = map(np.asarray, matrices(u))
    np.testing.assert_allclose(forward, reverse, atol=1e-12 * np.abs(reverse).max())
    np.testing.assert_allclose(energy, energy.T, atol=1e-12 * np.abs(energy).max())


@pytest.mark.parametrize(("name", "dims", "channels"), CASES)
def test_counting_parameters_needs_no_weights(name, dims, channels):
    spec = NETWORKS.parse(EXAMPLES[name])
    plan = EmulatorPlan(spec, Predict(), Grid(dims, POINTS), channels, coarse_stepper=lambda: None)
    plan.check()
    leaves = jax.tree.leaves(without_fixed(drawn(name, dims, channels)))
    sizes = [math.prod(leaf.shape) for leaf in leaves if hasattr(leaf, "shape")]
    assert count_parameters(plan) == sum(sizes) > 0


@pytest.mark.parametrize("name", NETWORKS.names())
def test_equal_keys_give_equal_weights(name):
    spec = NETWORKS.parse(EXAMPLES[name])

    def weights(seed):
        grid = Grid(DIMS.get(name, (1,))[0], POINTS)
        leaves = jax.tree.leaves(spec.build(grid, 1, jax.random.PRNGKey(seed)))
        return np.concatenate([np.ravel(leaf) for leaf in leaves])

    np.testing.assert_array_equal(weights(0), weights(0))
    assert not np.array_equal(weights(0), weights(1))


@pytest.mark.parametrize(("name", "dims"), PAIRS)
def test_an_output_point_sees_no_more_than_the_receptive_field(name, dims):
    field = NETWORKS.parse(EXAMPLES[name]).receptive_field(Grid(dims, POINTS))
    assert len(field) == dims
    assert all(back >= 0 and forward >= 0 for back, forward in field)
    back, forward = field[0]
    if dims > 1 or back + forward + 1 > POINTS or "Mo" in name or name in {"UNet", "Dil"}:
        return  # means over the grid are not counted
    net, place = drawn(name, 1, 1), POINTS // 2
    u = jnp.asarray(states(1, 1, name, 1)[0])
    seen = np.abs(jax.jit(jax.grad(lambda u: net(u)[-1, place]))(u)).sum(axis=0)
    assert set(np.flatnonzero(seen)) == set(range(place - int(back), place + int(forward) + 1))
