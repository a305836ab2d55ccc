"""The solver alone: the script behind docs/solver.md."""

import tempfile
from pathlib import Path

import numpy as np
import xarray as xr

import apexr
from apexr.spectral import Grid
from apexr.steppers import Convection, ETDRKStepper

FOLDER = Path(__file__).parent / "solver"


def main() -> None:
    grid = Grid(num_spatial_dims=1, num_points=128, domain_extent=2 * np.pi)
    burgers = Convection((0.0, 0.0, 0.02), convection_scale=1.0, conservative=True)
    stepper = ETDRKStepper(burgers, grid, dt=0.01, order=4)

    print(">>> one step", stepper(np.sin(grid.coordinates)).shape)
    u = apexr.simulate(stepper, "fourier;5;true;true", 300, num_samples=20, seed=1)
    with xr.set_options(display_expand_data=False, display_max_rows=14):
        print(">>> simulate\n", u, sep="")
    energy = (u**2).mean("x").sel(time=[0, 100, 200, 300]).squeeze("channel")
    print("\n>>> mean energy over samples\n", energy.mean("sample").to_series().round(4), sep="")
    apexr.plot.save(apexr.plot.trajectory(u, sample=0), FOLDER / "burgers.png")

    later = apexr.simulate(stepper, u.isel(time=-1), 100, include_init=False)
    print("\n>>> continued from labelled states", dict(later.sizes))

    chaos = apexr.simulate("phy_ks", num_steps=50, num_samples=3, num_points=64)
    print("\n>>> a scenario:", chaos.attrs["scenario"], dict(chaos.sizes))

    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "burgers.zarr"
        lazy = apexr.simulate(
            stepper, u.isel(time=0), 3_000, store=store, memory_budget="64MB", progress=False
        )
        print("\n>>> in a store:", f"{lazy.nbytes / 1e6:.0f} MB,", type(lazy.data).__module__)
        print("chunks", lazy.data.chunksize, "largest |u| at the end", end=" ")
        print(f"{float(abs(apexr.open_trajectories(store).isel(time=-1)).max()):.4f}")
        try:
            apexr.simulate(stepper, u.isel(time=0), 3_000, memory_budget="16MB")
        except apexr.errors.SpecError as error:
            print("\n>>> without a store:", error)

    fast = ETDRKStepper(burgers, grid, dt=0.5, order=2)
    wild = apexr.simulate(fast, 50 * u.isel(time=0).values, 20)
    print("\n>>> too large a step: diverged_at", wild["diverged_at"].values[:5])


if __name__ == "__main__":
    main()
