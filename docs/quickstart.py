"""The quick start: train emulators of advection, store, tabulate and draw the result.

Shorter than the published setting (4 seeds and 2,000 updates instead of 10 and 10,000), so that
it takes about a minute on two cores. ``python docs/quickstart.py PICTURE`` writes the picture to
this file, too.
"""

import sys
from pathlib import Path

import apexr

FOLDER = Path("quickstart")


def main(*pictures: Path) -> None:
    FOLDER.mkdir(exist_ok=True)
    result = apexr.run(
        "diff_adv",
        net="Conv;26;10;relu",
        train="one",
        num_seeds=4,
        optim_config="adam;2_000;warmup_cosine;0.0;1e-3;400",
        store=FOLDER / "adv.zarr",
    )
    steps = [1, 2, 3, 4, 5, 10, 20, 50, 100, 200]
    table = result.mean_nRMSE.median("seed").sel(time=steps).to_series().round(3)
    print("\nmedian over seeds of the error (mean nRMSE) after so many time steps:")
    print(table.to_string())
    apexr.plot.save(apexr.plot.overview(result), FOLDER / "adv.png")
    for tracked in pictures:
        from redrawn import redrawn  # next to this file, for the build alone

        with redrawn(tracked) as picture:
            apexr.plot.save(apexr.plot.overview(result), picture)
    print(f"\nresult:  {FOLDER / 'adv.zarr'}  (xarray.open_zarr opens it)")
    print(f"picture: {FOLDER / 'adv.png'}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
