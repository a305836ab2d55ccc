"""How each equation looks in a mirror: the mirrored equation and the signs of its channels."""

import dataclasses

import numpy as np

from apexr.steppers import (
    Advection,
    AdvectionDiffusion,
    AllenCahn,
    BelousovZhabotinsky,
    Burgers,
    CahnHilliard,
    Convection,
    Diffusion,
    Dispersion,
    FisherKPP,
    GradientNorm,
    GrayScott,
    Growth,
    HyperDiffusion,
    KolmogorovFlowVelocity,
    KolmogorovFlowVorticity,
    KortewegDeVries,
    KuramotoSivashinsky,
    KuramotoSivashinskyConservative,
    Linear,
    NavierStokesVelocity,
    NavierStokesVorticity,
    Nonlinear,
    Polynomial,
    SwiftHohenberg,
    VorticityConvection,
)

ALL = (1, 2, 3)
WAVE = 3
"""The wavenumber of injections; it divides the sizes of the grids."""


@dataclasses.dataclass(frozen=True)
class Case:
    """An equation, where it is defined and what it is symmetric under."""

    equation: object  # or a function of the number of dimensions
    dims: tuple[int, ...] = ALL
    odd: tuple[str, ...] = ()
    """Coefficients of odd derivatives (of sequences, the odd entries), or of forces."""
    channels: str = "scalar"
    """Under mirroring: ``scalar``, ``vector`` (components), ``odd`` or ``pseudo`` (scalars)."""
    isotropic: bool = True
    """Equal axes, so that they may be exchanged."""
    forced: bool = False
    """Along the second axis, with wavenumber ``WAVE``."""

    def at(self, dims):
        """Return the equation in that many dimensions."""
        return self.equation(dims) if callable(self.equation) else self.equation

    def signs(self, axes, dims, num_channels):
        """Return the sign that each channel gets where ``axes`` are mirrored."""
        if self.channels == "vector":
            return np.array([-1 if d in axes else 1 for d in range(num_channels)])
        odd = {"scalar": 0, "odd": 1, "pseudo": len(axes)}[self.channels]
        return np.full(num_channels, (-1) ** odd)

    def mirrors(self, dims):
        """Return the sets of axes that may be mirrored: any, or only all of them together."""
        along_sum = self.channels == "odd" or (self.odd and not self.forced and self.isotropic)
        single = [] if along_sum else [(d,) for d in range(dims)]
        return [*single, tuple(range(dims))]

    def mirrored(self, axes, dims):
        """Return the equation of the mirrored states."""
        equation = self.at(dims)
        changes = {name: self._flip(name, getattr(equation, name), axes) for name in self.odd}
        return dataclasses.replace(equation, **changes)

    def _flip(self, name, value, axes):
        signs = np.array([-1 if d in axes else 1 for d in range(3)])
        if name == "injection_scale":
            axial = len(axes) if self.channels == "pseudo" else int(0 in axes)
            return value * (-1) ** axial
        if name == "linear_coefficients":
            return tuple((-1) ** j * a for j, a in enumerate(value))
        if name == "nonlinear_coefficients":
            return value[0], -value[1], value[2]
        if np.ndim(value) == 0:
            return -value
        if np.ndim(value) == 2:
            value, signs = np.array(value), signs[: len(value)]
            return tuple(map(tuple, (signs[:, None] * value * signs).tolist()))
        return tuple(sign * entry for sign, entry in zip(signs, value, strict=False))


def _along(dims):
    return (0.7, -1.3, 0.4)[:dims]


def _matrix(dims):
    root = np.array([[0.3, 0.1, 0.0], [0.05, 0.2, 0.1], [0.0, -0.1, 0.25]])[:dims, :dims]
    return tuple(map(tuple, (root @ root.T).tolist()))


LINEAR = (-0.1, -0.4, 0.05, 0.02, -0.001)

CASES = {
    "Advection": Case(Advection(1.3), odd=("velocity",)),
    "Advection, vector": Case(lambda d: Advection(_along(d)), odd=("velocity",), isotropic=False),
    "Diffusion": Case(Diffusion(0.1)),
    "Diffusion, matrix": Case(
        lambda d: Diffusion(_matrix(d)), odd=("diffusivity",), isotropic=False
    ),
    "AdvectionDiffusion": Case(
        lambda d: AdvectionDiffusion(_along(d), _matrix(d)),
        odd=("velocity", "diffusivity"),
        isotropic=False,
    ),
    "Dispersion": Case(lambda d: Dispersion(_along(d)), odd=("dispersivity",), isotropic=False),
    "Dispersion, mixed": Case(Dispersion(0.3, True), odd=("dispersivity",)),
    "HyperDiffusion": Case(HyperDiffusion(0.001)),
    "HyperDiffusion, mixed": Case(HyperDiffusion(0.001, True)),
    "Growth": Case(Growth(0.3)),
    "Linear": Case(Linear(LINEAR), odd=("linear_coefficients",)),
    "Convection": Case(Convection(), channels="vector"),
    "Convection, conservative": Case(Convection(conservative=True), channels="vector"),
    "Convection, single": Case(
        Convection(LINEAR, single_channel=True, conservative=True),
        odd=("linear_coefficients",),
        channels="odd",
    ),
    "Convection, single, advective": Case(Convection(single_channel=True), channels="odd"),
    "Burgers": Case(Burgers(), channels="vector"),
    "KortewegDeVries": Case(
        KortewegDeVries(single_channel=True), odd=("dispersivity",), channels="odd"
    ),
    "KortewegDeVries, mixed": Case(
        KortewegDeVries(advect_over_diffuse=True, diffuse_over_diffuse=True, conservative=True),
        odd=("dispersivity",),
        channels="vector",
    ),
    "GradientNorm": Case(GradientNorm()),
    "KuramotoSivashinsky": Case(KuramotoSivashinsky()),
    "KuramotoSivashinskyConservative": Case(
        KuramotoSivashinskyConservative(), dims=(1,), channels="odd"
    ),
    "Nonlinear": Case(
        Nonlinear(LINEAR, (-0.3, -1.0, 0.5)),
        odd=("linear_coefficients", "nonlinear_coefficients"),
    ),
    "Polynomial": Case(
        Polynomial((0.5, 0.3, 0.1), (0.1, 0.0, -1.0, -0.5)), odd=("linear_coefficients",)
    ),
    "FisherKPP": Case(FisherKPP()),
    "AllenCahn": Case(AllenCahn()),
    "CahnHilliard": Case(CahnHilliard()),
    "SwiftHohenberg": Case(SwiftHohenberg()),
    "GrayScott": Case(GrayScott()),
    "BelousovZhabotinsky": Case(BelousovZhabotinsky()),
    "VorticityConvection": Case(VorticityConvection(), dims=(2,), channels="pseudo"),
    "VorticityConvection, advective": Case(
        VorticityConvection(
            (0.0, 0.0, 0.01), injection_mode=WAVE, injection_scale=1.0, form="advective"
        ),
        dims=(2,),
        odd=("injection_scale",),
        channels="pseudo",
        forced=True,
        isotropic=False,
    ),
    "NavierStokesVorticity": Case(NavierStokesVorticity(), dims=(2,), channels="pseudo"),
    "KolmogorovFlowVorticity": Case(
        KolmogorovFlowVorticity(injection_mode=WAVE),
        dims=(2,),
        odd=("injection_scale",),
        channels="pseudo",
        forced=True,
        isotropic=False,
    ),
    "NavierStokesVelocity": Case(NavierStokesVelocity(), dims=(3,), channels="vector"),
    "KolmogorovFlowVelocity": Case(
        KolmogorovFlowVelocity(injection_mode=WAVE),
        dims=(3,),
        odd=("injection_scale",),
        channels="vector",
        forced=True,
        isotropic=False,
    ),
}
