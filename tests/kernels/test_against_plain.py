"""Each kernel in the form for CPUs against the same by XLA's own operations, with its gradients."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from apexr import kernels
from apexr.kernels import ACCELERATOR, CPU, in_form
from apexr.kernels import _plain as plain
from apexr.networks import NETWORKS
from apexr.spectral import Grid

BOUNDARIES = ["periodic", "dirichlet", "neumann"]


def drawn(*shapes):
    random = np.random.default_rng(0)
    return [jnp.asarray(random.normal(size=shape), "f4") for shape in shapes]


def assert_equal(ours, reference, *arrays):
    """Compare two functions and their gradients, by the largest number of each."""

    def pulled(function):
        def both(*arrays):
            out, back = jax.vjp(function, *arrays)
            return out, *back(jnp.cos(jnp.arange(out.size, dtype="f4")).reshape(out.shape))

        return jax.jit(both)(*arrays)

    with in_form(CPU):
        made = pulled(ours)
    for mine, true in zip(made, pulled(reference), strict=True):
        assert mine.shape == true.shape
        np.testing.assert_allclose(mine, true, atol=5e-6 * np.abs(true).max())


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(
    ("grid", "channels", "sizes"),
    [
        ((9,), (3, 2), {"size": 3, "dilation": 1, "stride": 1}),
        ((9,), (26, 26), {"size": 4, "dilation": 2, "stride": 1}),
        ((9,), (2, 3), {"size": 3, "dilation": 1, "stride": 2}),
        ((9, 6), (1, 8), {"size": 3, "dilation": 1, "stride": 1}),
        ((9, 6), (12, 12), {"size": 3, "dilation": 1, "stride": 1}),
        ((8, 6), (12, 12), {"size": 3, "dilation": 2, "stride": 1}),
        ((6, 7), (2, 3), {"size": 2, "dilation": 1, "stride": 2}),
        ((8, 11), (2, 9), {"size": 3, "dilation": 1, "stride": 3}),
        ((8, 12), (1, 20), {"size": 4, "dilation": 1, "stride": 4}),
        ((4, 3, 6), (2, 3), {"size": 3, "dilation": 1, "stride": 2}),
        ((4, 3, 5), (8, 8), {"size": 3, "dilation": 1, "stride": 1}),
    ],
    ids=str,
)
def test_convolutions(grid, channels, sizes, boundary):
    options = {"boundary": boundary, "dilation": sizes["dilation"], "stride": sizes["stride"]}
    kernel = (sizes["size"],) * len(grid)
    x, weight = drawn((channels[0], 2, *grid), (channels[1], channels[0], *kernel))
    assert_equal(
        lambda x, weight: kernels.convolve(x, weight, **options),
        lambda x, weight: plain.convolve(x, weight, **options),
        x,
        weight,
    )


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(("grid", "size"), [((9,), 7), ((6, 7), 5), ((4, 3, 5), 3)])
def test_convolutions_of_each_channel(grid, size, boundary):
    x, weight = drawn((3, 2, *grid), (3, *(size,) * len(grid)))
    assert_equal(
        lambda x, weight: kernels.convolve_each(x, weight, boundary),
        lambda x, weight: plain.convolve_each(x, weight, boundary),
        x,
        weight,
    )


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(("grid", "taps"), [((5,), 3), ((5,), 4), ((3, 4), 3), ((3, 4), 4)])
def test_transposed_convolutions(grid, taps, boundary):
    x, weight = drawn((3, 2, *grid), (2, 3, *(taps,) * len(grid)))
    assert_equal(
        lambda x, weight: kernels.upsample(x, weight, boundary),
        lambda x, weight: plain.upsample(x, weight, boundary),
        x,
        weight,
    )


@pytest.mark.parametrize(
    ("shape", "num_groups"), [((4, 2, 9), 1), ((6, 3, 4, 5), 3), ((2, 1, 3, 2, 4), 2)], ids=str
)
def test_norms_over_groups(shape, num_groups):
    x, weight, bias = drawn(shape, shape[:1], shape[:1])
    arrays = 2 * x + jnp.cos(x), weight, bias
    ours = partial(kernels.normalize_groups, num_groups=num_groups, epsilon=1e-5)

    def reference(x, weight, bias):
        grouped = x.reshape(num_groups, -1, *x.shape[1:])
        axes = (1, *range(3, grouped.ndim))
        normal = jax.nn.standardize(grouped, axes, epsilon=1e-5).reshape(x.shape)
        weight, bias = (array.reshape(-1, *(1,) * (x.ndim - 1)) for array in (weight, bias))
        return normal * weight + bias

    assert_equal(ours, reference, *arrays)
    weighted = [lambda *a, f=f: jnp.sum(jnp.sin(f(*a)) * x) for f in (ours, reference)]
    for forward in (jax.jacfwd, jax.jacrev):  # second derivatives in both modes
        made, true = (forward(jax.grad(f, (0, 1, 2)), (0, 1, 2))(*arrays) for f in weighted)
        largest = max(np.abs(leaf).max() for leaf in jax.tree.leaves(true))
        jax.tree.map(partial(np.testing.assert_allclose, atol=2e-5 * largest), made, true)


def test_windows():
    (frames,) = drawn((2, 3 * 7, 5))  # three trajectories of seven frames
    windows = [(sample, start) for sample in range(3) for start in range(7 - 4 + 1)]
    expected = np.stack([frames[:, 7 * s + t : 7 * s + t + 4] for s, t in windows], axis=1)
    made = kernels.gather_windows(frames, jnp.arange(len(windows)), 7, 4)
    np.testing.assert_array_equal(made, expected)


def test_updates_of_long_vectors():
    weights, gradient = ({"kernel": a, "bias": b} for a, b in (drawn((3, 2, 4), (3, 1)),) * 2)
    chosen = optax.adam(1e-2)
    ours, state = kernels.on_vectors(chosen).update(gradient, chosen.init(weights), weights)
    plainly, expected = chosen.update(gradient, chosen.init(weights), weights)
    made = (kernels.add_changes(weights, ours), state)
    for mine, true in zip(
        jax.tree.leaves(made),
        jax.tree.leaves((optax.apply_updates(weights, plainly), expected)),
        strict=True,
    ):
        np.testing.assert_allclose(mine, true, rtol=1e-6)


@pytest.mark.parametrize(
    "config", ["Conv;3;1;tanh", "Res;3;1;tanh", "UNet;2;1;tanh", "CNeXt;3;2;1"]
)
def test_networks_are_the_same_in_both_forms(config):
    grid = Grid(1, 16)
    network = NETWORKS.parse(config).build(grid, 1, jax.random.PRNGKey(0))
    (states,) = drawn((1, 3, 16))

    def program(chosen):
        with in_form(chosen):
            return jax.jit(lambda x: network.batched(x) + 0).lower(states)

    for_accelerators = program(ACCELERATOR)
    assert "convolution" in for_accelerators.as_text()
    assert "optimization_barrier" not in for_accelerators.as_text()
    ours, theirs = (made.compile()(states) for made in (program(CPU), for_accelerators))
    np.testing.assert_allclose(ours, theirs, atol=5e-6 * np.abs(theirs).max())


def test_the_platform_chooses(monkeypatch):
    assert kernels.form() is CPU
    with in_form(ACCELERATOR):
        assert kernels.form() is ACCELERATOR
        assert kernels.windows_at_once(20, (1, 100, 32, 32), 1000) == 20
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert kernels.form() is ACCELERATOR
    assert kernels.convolution_kernels() == "XLA's convolutions"
