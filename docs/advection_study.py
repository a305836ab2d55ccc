"""The study whose table and pictures stand in docs/advection_study.md.

Ten seeds each of two networks on advection at the published size: 10,000 updates. Run it with
``make docs-study``; what is finished is not run again.
"""

import time
from pathlib import Path

import jax
import pandas as pd
import xarray as xr

import apexr

FOLDER = Path(__file__).parent / "advection_study"
STEPS = [1, 2, 3, 4, 5, 10, 20, 50, 100, 200]
NETS = ("Conv;26;10;relu", "FNO;12;8;4;gelu")
PUBLISHED = {
    NETS[0]: [0.003, 0.006, 0.010, 0.013, 0.016, 0.031, 0.059, 0.141, 0.270, 0.507],
    NETS[1]: [0.002, 0.004, 0.005, 0.007, 0.009, 0.017, 0.033, 0.080, 0.155, 0.287],
}
"""Koehler et al. (2024), APEBench documentation, "Typical workflow": medians over ten seeds."""


def main() -> None:
    """Run the study, write its table and its pictures."""
    started = time.perf_counter()
    configs = [{"scenario": "diff_adv", "net": net, "num_seeds": 10} for net in NETS]
    study = apexr.run_study(configs, FOLDER / "study.zarr")
    seconds = time.perf_counter() - started
    table = tabulate(study)
    text = [f"{seconds:.0f} s on {jax.local_device_count()} CPU cores", "", table.to_markdown()]
    (FOLDER / "table.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    print("\n".join(text))
    apexr.plot.save(apexr.plot.loss(study, by="net"), FOLDER / "loss.png")
    apexr.plot.save(apexr.plot.metric(study, by="net"), FOLDER / "error.png")
    for place, net in enumerate(study["net"].values):
        picture = apexr.plot.spacetime(study.isel(experiment=place))
        apexr.plot.save(picture, FOLDER / f"rollout_{net.split(';')[0].lower()}.png")


def tabulate(study: xr.Dataset) -> pd.DataFrame:
    """Return median and spread over seeds next to the published medians."""
    columns = {}
    for net in NETS:
        error = study.mean_nRMSE[(study.net == net).values].squeeze("experiment")
        error = error.sel(time=STEPS).load()
        low, high = error.min("seed").values, error.max("seed").values
        columns[f"{net} median"] = error.median("seed").values.round(4)
        columns[f"{net} min … max"] = [f"{a:.4f} … {b:.4f}" for a, b in zip(low, high, strict=True)]
        columns[f"{net} published"] = PUBLISHED[net]
    return pd.DataFrame(columns, index=pd.Index(STEPS, name="time step"))


if __name__ == "__main__":
    main()
