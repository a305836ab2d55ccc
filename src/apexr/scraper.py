"""Training and test data of scenarios as labeled Datasets, to be used with any framework.

:data:`CURATION` lists the configurations whose data the published benchmark distributes.

Examples
--------
>>> ds = scrape_data_and_metadata(scenario="diff_adv", num_points=64)
>>> ds.train.dims
('train_sample', 'train_time', 'channel', 'x')
"""

from pathlib import Path
from typing import Any

import xarray as xr

from apexr import labels
from apexr._doors import checked
from apexr._typing import PathInput
from apexr.errors import SpecError
from apexr.experiment import machine
from apexr.kernels import prepare_host_devices
from apexr.scenarios import (
    CURATION,
    BaseScenario,
    data_attributes,
    finite_trajectories,
    labelled_reference,
    resolve,
)

_BESIDE = ("folder_or_store", "name", "overwrite")
AUTO = "auto"
STORES = (".zarr", ".nc")


@checked
def scrape_data_and_metadata(
    folder_or_store: PathInput | None = None,
    *,
    scenario: str | BaseScenario,
    name: str = AUTO,
    overwrite: bool = False,
    **scenario_kwargs: Any,
) -> xr.Dataset:
    """Return the training and the test trajectories of a scenario, with all that made them.

    Parameters
    ----------
    folder_or_store
        Where they are kept: a store that ends in ``.zarr`` or ``.nc`` (netCDF), or a folder for
        ``NAME.zarr``. Where the very same data lie already, they are read and nothing is
        computed. None keeps them in memory.
    scenario
        A key such as ``"diff_adv"``, or a scenario object.
    name
        Name of the data; ``"auto"`` takes the scenario's name.
    overwrite
        Whether to replace other data that are in the store.
    **scenario_kwargs
        Parameters of the scenario that differ from its defaults.

    Returns
    -------
    ``train (train_sample, train_time, channel, *space)`` and ``test``, time 0 being the
    initial state; attributes hold the name, all parameters (JSON), seeds, versions and machine.
    Opened lazily where there is a store.

    Raises
    ------
    SpecError
        For anything invalid, before any work.
    StoreError
        If the store cannot be written or holds other data, before any work.
    MissingExtraError
        For netCDF without its package, before any work.
    DivergenceError
        If the data are not finite.

    Examples
    --------
    >>> for config in CURATION:
    ...     scrape_data_and_metadata("data", **config)
    """
    prepare_host_devices()
    chosen = resolve(scenario, scenario_kwargs, beside=_BESIDE)
    attrs = {"name": _name(name, chosen), **data_attributes(chosen)}
    if folder_or_store is None:
        return _make(chosen, attrs)
    from apexr import store  # Zarr is slow to import

    target = store.check_dataset_path(_target(Path(folder_or_store), attrs["name"]))
    if target.exists() and not overwrite:
        return _held(target, attrs)
    store.publish_dataset(_make(chosen, attrs), target, overwrite=overwrite)
    return store.open_dataset(target)


def _name(name: Any, scenario: BaseScenario) -> str:
    if not isinstance(name, str) or not name or Path(name).name != name:
        raise SpecError(f"name must be a plain file name or {AUTO!r}, got {name!r}")
    return scenario.get_scenario_name() if name == AUTO else name


def _target(path: Path, name: str) -> Path:
    """Return the store that is meant: by its suffix the path itself, else one in the folder."""
    is_store = path.suffix in STORES or (path.suffix and not path.is_dir())
    return path if is_store else path / f"{name}.zarr"


def _held(target: Path, attrs: dict[str, Any]) -> xr.Dataset:
    """Return stored data if they are the ones that are asked for.

    Raises
    ------
    ConflictError
        If they are others.
    """
    from apexr import store

    held = store.open_dataset(target)
    if held.attrs.get("specification") != attrs["specification"]:
        raise store.ConflictError(
            f"{target} holds other data ({held.attrs.get('name')!r} with the parameters"
            f" {held.attrs.get('specification')}); use overwrite=True or another path"
        )
    return held


def _make(scenario: BaseScenario, attrs: dict[str, Any]) -> xr.Dataset:
    """Return the labeled data, once they are known to be finite."""
    finite_trajectories(scenario)
    splits = {split: labelled_reference(scenario, split) for split in ("train", "test")}
    return labels.splits(splits, attrs={**attrs, **machine()})


__all__ = ["CURATION", "scrape_data_and_metadata"]
