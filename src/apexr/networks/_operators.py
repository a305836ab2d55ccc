"""Parts that the neural operators of the package ``neuraloperator`` share."""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, PRNGKeyArray

from apexr.errors import SpecError
from apexr.kernels import computed_once
from apexr.networks._activations import activate
from apexr.networks._base import UNBOUNDED, Layer, Reach, Space, check_fits
from apexr.networks._kind import Network
from apexr.networks._layers import Pointwise, PointwiseMLP
from apexr.networks._lines import mix_lines
from apexr.networks._spectral import mix
from apexr.spectral import Grid, resample

ACTIVATION = "exact_gelu"


def require_periodic(space: Space, what: str) -> None:
    """Refuse a boundary that Fourier series cannot have.

    Raises
    ------
    SpecError
        Naming what can.
    """
    if space.boundary != "periodic":
        raise SpecError(
            f"{what} needs a periodic boundary, got {space.boundary!r}; ConvNet, ConvNeXtUNet,"
            " ModernUNet, and Sequential and Hierarchical of convolutions, have others"
        )


def check_modes(spec: Any, grid: Grid, *, halvings: int = 0) -> None:
    """Refuse more modes than the coarsest grid of a network has points, along each axis.

    Where grids differ, the wave of two points is another one on each of them: it is refused too.

    Raises
    ------
    SpecError
        Naming how many there may be.
    """
    points = min(grid.shape) // 2**halvings
    most = points - (halvings > 0)
    if spec.modes > most:
        where = f" on the coarsest grid, of {points} points" if halvings else ""
        raise SpecError(
            f"network {str(spec)!r}: MODES, which counts both signs, must be at most {most}"
            f"{where or f' on {points} points along an axis'}, got {spec.modes}"
        )


def kept_waves(modes: int, num_spatial_dims: int) -> tuple[int, ...]:
    """Return how many waves are kept of each axis: those of both signs, of the last axis half."""
    return (*(modes,) * (num_spatial_dims - 1), modes // 2 + 1)


class DenseWaves(eqx.Module):
    """A complex matrix for each kept wave.

    Parameters
    ----------
    in_channels, out_channels, waves
        Sizes; waves of each axis.
    key
        Split in two: real part, imaginary part, normal with together the deviation
        ``√(2 / (in + out))``.
    """

    real: Float[Array, "out in *waves"]
    imag: Float[Array, "out in *waves"]

    def __init__(
        self, in_channels: int, out_channels: int, waves: tuple[int, ...], *, key: PRNGKeyArray
    ) -> None:
        shape = (out_channels, in_channels, *waves)
        deviation = deviation_of(in_channels, out_channels)
        self.real, self.imag = _complex_normal(key, shape, deviation)

    @property
    def out_channels(self) -> int:
        """Channels of the output."""
        return self.real.shape[0]

    def parts(self) -> tuple[Array, Array]:
        """Return real and imaginary part, each ``(out, in, *waves)``."""
        return self.real, self.imag


def deviation_of(in_channels: int, out_channels: int) -> float:
    """Return the deviation of the weights before any training."""
    return math.sqrt(2 / (in_channels + out_channels))


def _complex_normal(
    key: PRNGKeyArray, shape: tuple[int, ...], deviation: float
) -> tuple[Array, Array]:
    real, imag = (
        deviation / math.sqrt(2) * jax.random.normal(own, shape) for own in jax.random.split(key)
    )
    return real, imag


class TuckerWaves(eqx.Module):
    """The same as :class:`DenseWaves`, as a small core and a matrix for each of its axes.

    ``W = core ×₁ F₁ ×₂ F₂ …``, all complex. The ranks are in proportion to the sizes, so that
    there are about ``rank`` times as many numbers as without.

    Parameters
    ----------
    in_channels, out_channels, waves
        As for :class:`DenseWaves`.
    rank
        Share of the numbers.
    key
        Split once: core, then one part a matrix. All are normal, with a deviation such that ``W``
        has that of :class:`DenseWaves`.

    References
    ----------
    Kossaifi et al. (2024), "Multi-Grid Tensorized Fourier Neural Operator for High-Resolution
    PDEs", TMLR, section 4; ranks and first weights as in ``tensorly-torch`` 0.5.0.
    """

    core: tuple[Array, Array]
    factors: tuple[tuple[Array, Array], ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        waves: tuple[int, ...],
        *,
        rank: float,
        key: PRNGKeyArray,
    ) -> None:
        shape = (out_channels, in_channels, *waves)
        ranks = tucker_ranks(shape, rank)
        product = math.prod(math.sqrt(one) for one in ranks)
        deviation = (deviation_of(in_channels, out_channels) / product) ** (1 / (len(shape) + 1))
        core_key, *keys = jax.random.split(key, len(shape) + 1)
        self.core = _complex_normal(core_key, ranks, deviation)
        self.factors = tuple(
            _complex_normal(own, sizes, deviation)
            for own, sizes in zip(keys, zip(shape, ranks, strict=True), strict=True)
        )

    @property
    def out_channels(self) -> int:
        """Channels of the output."""
        return self.factors[0][0].shape[0]

    def parts(self) -> tuple[Array, Array]:
        """Return real and imaginary part, each ``(out, in, *waves)``."""
        whole = jax.lax.complex(*self.core)
        for factor in self.factors:  # each product moves one axis from the front to the end
            whole = jnp.tensordot(whole, jax.lax.complex(*factor), ((0,), (1,)))
        return whole.real, whole.imag


def tucker_ranks(shape: tuple[int, ...], share: float) -> tuple[int, ...]:
    """Return the ranks ``round(c n)`` whose core and matrices hold that share of the numbers.

    ``c`` solves ``c^d ∏ n + c Σ n² = share ∏ n`` for the ``d`` sizes ``n``.
    """
    whole, squares = math.prod(shape), sum(size**2 for size in shape)
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        too_much = whole * middle ** len(shape) + squares * middle > share * whole
        low, high = (low, middle) if too_much else (middle, high)
    return tuple(max(round(size * low), 1) for size in shape)


class SpectralOperator(Layer):
    """Mixes the channels of the lowest waves, each with its own matrix, and adds a bias.

    The output may be on another grid: it is the same sum of waves there.

    Parameters
    ----------
    space
        Dimensions and boundary, which must be periodic.
    in_channels, out_channels
        Sizes.
    modes
        Waves that are kept of each axis, both signs counted: from ``-(modes // 2)`` on; of the
        last axis those from 0 to ``modes // 2``.
    rank
        Share of the numbers of a Tucker factorization; without one where it is ``None``.
    key
        Split in two: weights, bias.

    References
    ----------
    Li et al. (2021), "Fourier Neural Operator for Parametric Partial Differential Equations",
    ICLR, eq. 5; ``SpectralConv`` of the package ``neuraloperator`` 2.0.0.
    """

    waves: DenseWaves | TuckerWaves
    bias: Float[Array, " out"]

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        modes: int,
        rank: float | None = None,
        key: PRNGKeyArray,
    ) -> None:
        require_periodic(space, "a spectral convolution")
        waves_key, bias_key = jax.random.split(key)
        sizes = (in_channels, out_channels, kept_waves(modes, space.num_spatial_dims))
        if rank is None:
            self.waves = DenseWaves(*sizes, key=waves_key)
        else:
            self.waves = TuckerWaves(*sizes, rank=rank, key=waves_key)
        deviation = deviation_of(in_channels, out_channels)
        self.bias = deviation * jax.random.normal(bias_key, (out_channels,))

    @property
    def reach(self) -> Reach:
        """Everything."""
        return UNBOUNDED

    def __call__(
        self, x: Float[Array, "in batch *space"], shape: tuple[int, ...] | None = None
    ) -> Float[Array, "out batch *space_out"]:
        """Return the batch with its low waves mixed and all others removed."""
        real, imag = self.waves.parts()
        check_fits(x, real.shape[1], real.ndim - 2)
        shape = shape or x.shape[2:]
        if len(shape) == 1:
            out = mix_lines(x, real, imag, num_points=shape[0])
        else:
            out = _mix_grids(x, jax.lax.complex(real, imag), shape)
        return out + self.bias.reshape(-1, *(1,) * (x.ndim - 1))


def _mix_grids(
    x: Float[Array, "in batch *space"],
    weight: Complex[Array, "out in *waves"],
    shape: tuple[int, ...],
) -> Float[Array, "out batch *space_out"]:
    """2D and 3D: by the Fourier transform."""
    axes, waves = tuple(range(2, x.ndim)), weight.shape[2:]
    spectrum = jnp.fft.rfftn(x, axes=axes)[..., : waves[-1]]
    for axis, count in zip(axes[:-1], waves[:-1], strict=True):
        size = x.shape[axis]
        negative = jax.lax.slice_in_dim(spectrum, size - count // 2, size, axis=axis)
        others = jax.lax.slice_in_dim(spectrum, 0, count - count // 2, axis=axis)
        spectrum = jnp.concatenate([negative, others], axis=axis)
    mixed = mix(weight, spectrum)
    for axis, count, size in zip(axes[:-1], waves[:-1], shape[:-1], strict=True):
        negative, others = jnp.split(mixed, [count // 2], axis=axis)
        gap = [(0, size - count if place == axis else 0) for place in range(mixed.ndim)]
        mixed = jnp.concatenate([jnp.pad(others, gap), negative], axis=axis)
    widths = [(0, 0)] * (mixed.ndim - 1) + [(0, shape[-1] // 2 + 1 - waves[-1])]
    scale = math.prod(shape) / math.prod(x.shape[2:])
    return scale * jnp.fft.irfftn(jnp.pad(mixed, widths), s=shape, axes=axes)


class OperatorBlock(Layer):
    """``y = act(spectral(x) + skip(x))``, then ``act(mlp(y) + gate(x))``.

    The perceptron has one hidden layer of half the channels.

    Parameters
    ----------
    space, in_channels, out_channels, modes, rank
        As for :class:`SpectralOperator`.
    gated
        Whether ``gate`` is a factor for each channel, which keeps the channels; a matrix
        otherwise.
    activated
        Whether there are activations but that of the perceptron.
    key
        Split in four: spectral, skip, perceptron, gate.

    References
    ----------
    ``FNOBlocks`` of the package ``neuraloperator`` 2.0.0.
    """

    spectral: SpectralOperator
    skip: Pointwise
    mlp: PointwiseMLP
    gate: Float[Array, " channel"] | Pointwise
    activated: bool = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        modes: int,
        rank: float | None = None,
        gated: bool = True,
        activated: bool = True,
        key: PRNGKeyArray,
    ) -> None:
        spectral_key, skip_key, mlp_key, gate_key = jax.random.split(key, 4)
        sizes = (space, in_channels, out_channels)
        self.spectral = SpectralOperator(*sizes, modes=modes, rank=rank, key=spectral_key)
        self.skip = Pointwise(*sizes, use_bias=False, key=skip_key)
        half = (max(round(out_channels / 2), 1),)
        self.mlp = PointwiseMLP(space, out_channels, out_channels, widths=half, key=mlp_key)
        matrix = None if gated else Pointwise(*sizes, use_bias=False, key=gate_key)
        self.gate = jnp.ones(out_channels) if matrix is None else matrix
        self.activated = activated

    @property
    def reach(self) -> Reach:
        """Everything."""
        return UNBOUNDED

    def __call__(
        self, x: Float[Array, "in batch *space"], shape: tuple[int, ...] | None = None
    ) -> Float[Array, "out batch *space_out"]:
        """Return the block's output for a batch, on a grid of that shape."""
        name = ACTIVATION if self.activated else "identity"
        kept = x if shape is None else _onto(x, shape)
        y = activate(name, self.spectral(x, shape) + self.skip(kept))
        ones = (1,) * (x.ndim - 1)
        by = self.gate
        gated = by(kept) if isinstance(by, Pointwise) else by.reshape(-1, *ones) * kept
        return activate(name, self.mlp(y) + gated)


def _onto(x: Float[Array, "in batch *space"], shape: tuple[int, ...]) -> Array:
    """Return the batch on another grid, from its trigonometric interpolant."""
    if x.shape[2:] == shape:
        return x
    return resample(x.reshape(-1, *x.shape[2:]), shape).reshape(*x.shape[:2], *shape)


class OperatorNetwork(Network):
    """Lifting and projection by perceptrons, and blocks between them that keep the channels.

    Parameters
    ----------
    space, in_channels, out_channels
        As for :class:`Sequential`.
    width
        Channels of the blocks; the hidden layers of both perceptrons have twice as many.
    num_blocks
        How many blocks.
    block
        The function that makes a block from its number, from 0 on, and a key.
    key
        Split in three: lifting, blocks, projection. That of the blocks is split once.
    """

    lifting: PointwiseMLP
    blocks: tuple[Callable[[Array], Array], ...]
    projection: PointwiseMLP

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        width: int,
        num_blocks: int,
        block: Callable[[int, PRNGKeyArray], Callable[[Array], Array]],
        key: PRNGKeyArray,
    ) -> None:
        lifting_key, key, projection_key = jax.random.split(key, 3)
        hidden = (2 * width,)
        self.lifting = PointwiseMLP(space, in_channels, width, widths=hidden, key=lifting_key)
        self.blocks = tuple(
            block(number, own) for number, own in enumerate(jax.random.split(key, num_blocks))
        )
        self.projection = PointwiseMLP(
            space, width, out_channels, widths=hidden, key=projection_key
        )

    def batched(self, states: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the network's output for every state of a batch."""
        states = self.lifting(states)
        for block in self.blocks:
            states = computed_once(block(states))
        return self.projection(states)
