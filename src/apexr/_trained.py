"""Trained networks of a store, built again."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import xarray as xr

from apexr._doors import checked
from apexr._precision import check_precision, computing_in
from apexr._typing import PathInput
from apexr.engine import (
    from_flat_weights,
    named_shapes,
    select_seed,
    skeleton,
    stacked,
    with_weights,
)
from apexr.errors import ApexrError, MissingVariableError, SpecError, StoreError
from apexr.scenarios import emulator_plan, scenario_dict

_MOST_POINTS = 2**28
"""Points of a grid on which a stored network may work: its solver has arrays of that size."""


@checked
def load_networks(
    store: PathInput | xr.Dataset,
    experiment: str | None = None,
    *,
    seed: int | None = None,
    update_step: int | None = None,
) -> Any:
    """Return the trained emulators of a stored experiment.

    Parameters
    ----------
    store
        The store of one experiment, a study, or a file of weights that ends in
        ``.safetensors``. With ``update_step``, a result will do.
    experiment
        The id of the experiment in a study, or its beginning where no other begins so.
    seed
        Gives the network of that seed alone; by default there are those of all seeds.
    update_step
        Gives the emulators as they were before that update, if the callback ``net`` recorded
        them; by default as they were in the end.

    Returns
    -------
    The network of one seed; of several seeds a module of all of them, an
    :class:`apexr.engine.Stacked`: ``len``, iteration and ``[k]`` work, and its arrays lead with
    the seeds. The precision is that of the experiment: use float64 within
    ``jax.enable_x64(True)``.

    Raises
    ------
    SpecError
        If it is a study and no experiment is named, or no store at all.
    StoreError
        If nothing is published there.
    MissingVariableError
        If there is no such seed, the weights of that step were not recorded, or the store holds
        none.
    UnknownNameError
        If the scenario is not registered in this process.

    Examples
    --------
    >>> network = apexr.load_networks("adv.zarr", seed=0)
    >>> networks = apexr.load_networks("adv.zarr")
    >>> [network(state) for network in networks]
    """
    from apexr import store as stores  # Zarr is slow to import

    if isinstance(store, xr.Dataset):
        return _of_seed(*_networks_of_step(store, update_step), seed)
    unit: Any = store
    if experiment is not None:
        study = stores.Study.at(store)
        unit = study.unit(study.full_id(experiment))
    if str(unit).endswith(stores.SAFETENSORS):
        weights, told = stores.read_safetensors(unit)
        shapes = {name: array.shape for name, array in weights.items()}
        seeds = stores.seeds_of_file(unit, told)

        def given(empty: Any) -> Any:
            stores.check_shapes(str(unit), shapes, named_shapes(empty), len(seeds))
            return with_weights(empty, weights)

        return _of_seed(_rebuilt(unit, told, given), seeds, seed)
    if experiment is None and stores.is_study(unit):
        ids = ", ".join(map(repr, stores.list_experiments(unit)["id"][:3]))
        raise SpecError(
            f"{unit} is a study; name one of its experiments by its id, such as {ids or 'none'}"
            " (see apexr.list_experiments): load_networks(STUDY, ID)"
        )
    held = stores.open_experiment(unit)
    if update_step is not None:
        return _of_seed(*_networks_of_step(held, update_step), seed)
    return networks_of(unit, held, seed)


def networks_of(unit: PathInput, result: xr.Dataset, seed: int | None = None) -> Any:
    """Return the trained emulators of a unit that has been opened.

    Parameters
    ----------
    unit
        The store of one experiment, or an experiment of a study.
    result
        The opened unit.
    seed
        As for :func:`load_networks`.

    Raises
    ------
    MissingVariableError, StoreError
        As for :func:`load_networks`.
    """
    from apexr import store as stores  # Zarr is slow to import

    def stored(empty: Any) -> Any:
        weights = stores.read_weights(unit, named_shapes(empty))
        if not weights:
            raise MissingVariableError(
                f"{unit}: holds no weights; it was published or imported without them"
            )
        return with_weights(empty, weights)

    return _of_seed(_rebuilt(unit, result.attrs, stored), result["seed"].values.tolist(), seed)


def _of_seed(networks: Any, seeds: list[int], seed: int | None) -> Any:
    """Return the network of a seed, or those of all; a single one does not lead with its seed."""
    if seed is not None and seed not in seeds:
        raise MissingVariableError(f"no network of seed {seed!r}; there are {seeds}")
    if len(seeds) == 1:
        return networks
    return stacked(networks, seeds) if seed is None else select_seed(networks, seeds.index(seed))


def _networks_of_step(result: xr.Dataset, update_step: int | None) -> tuple[Any, list[int]]:
    """Return the emulators that the callback ``net`` recorded before an update, and the seeds."""
    recorded = result.get("net_weights")
    steps = [] if recorded is None else recorded["update_step_net"].values.tolist()
    if recorded is None or update_step not in steps:
        raise MissingVariableError(
            f"the weights before update {update_step} are not recorded; recorded are"
            f" {steps or 'none'}: name net;EVERY among the callbacks, or give the store and no"
            " update_step for the weights in the end"
        )
    flat = recorded.sel(update_step_net=update_step).transpose("seed", "parameter")
    seeds = flat["seed"].values.tolist()

    def fill(empty: Any) -> Any:
        filled = from_flat_weights(empty, flat.values)
        return select_seed(filled, 0) if len(seeds) == 1 else filled

    return _rebuilt("the result", result.attrs, fill), seeds


def _rebuilt(where: object, told: Mapping[str, Any], fill: Callable[[Any], Any]) -> Any:
    """Return the emulator of a specification with its weights filled in.

    Raises
    ------
    StoreError
        If there is no specification, or it is not one of an experiment that can be run.
    """
    if "specification" not in told:
        raise StoreError(f"{where}: does not say which experiment its weights are from")
    try:
        spec = json.loads(told["specification"])
        chosen = scenario_dict[spec["scenario"]](**spec["parameters"])
        task, net, precision = str(spec["task"]), str(spec["net"]), spec["precision"]
        check_precision(precision)
    except ApexrError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise StoreError(
            f"{where}: its specification is not one of an experiment ({error!r})"
        ) from error
    if math.prod(chosen.grid.shape) > _MOST_POINTS:
        raise StoreError(f"{where}: a grid of {chosen.grid.shape} points; refused")
    with computing_in(precision):
        return fill(skeleton(emulator_plan(chosen, task, net, precision)))
