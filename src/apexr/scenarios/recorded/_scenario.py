"""The scenario of recorded trajectories."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import jax
import numpy as np

from apexr._digest import canonical_json
from apexr._grammar import Count, PositiveInt, Range
from apexr._memory import read_bytes
from apexr.engine import EmulatorPlan, parse_callbacks
from apexr.errors import SpecError, suggest
from apexr.exchange.readers._recording import PARTS
from apexr.experiment import BaseScenario, _data
from apexr.labels import Axes
from apexr.networks import NETWORKS
from apexr.recipe import LATER, Extent, Points, derived, is_overridden, scenario
from apexr.scenarios.recorded._finite import check_finite
from apexr.scenarios.recorded._known import Known, of_opened
from apexr.scenarios.recorded._open import AUTO, Opened, open_source
from apexr.scenarios.recorded._split import Split, listed, make_split
from apexr.scenarios.recorded._view import View, named
from apexr.training import Streamed, TrainingPlan, check_loader

Seed = Annotated[int, Range(minimum=0, maximum=2**32 - 1)]

BOUNDARIES = ("periodic", "wall", "open")
NO_SOLVER = (
    "recorded trajectories come without the solver that made them, so that nothing can make steps"
    " of it"
)
_WORD = re.compile(r"[^0-9a-zA-Z]+")
_NOT_DATA = ("source", "data_memory", "name", "layout", "boundary")
"""Parameters that the numbers do not depend on, besides what is known of the source."""


def _needs_valid_data(callbacks: str) -> bool:
    """Tell whether a callback looks at data for validation."""
    return any(callback.needs_valid_data for callback in parse_callbacks(callbacks))


@scenario("recorded", listed=False)
class Recorded(BaseScenario):
    """Trajectories that somebody recorded, to train and test emulators on.

    Grid, time step, names and boundaries come from the file. Trajectories are split, never windows
    of them. The content is part of an experiment's identity, not its path.

    Parameters
    ----------
    source
        A path, URL, pattern or folder of HDF5 files (The Well, PDEBench, PDEArena), netCDF, Zarr,
        ``.npy`` or ``.npz``; an xarray object; an array or a dictionary of arrays with ``dims``.
    dims
        The axes of arrays, in order: ``("sample", "time", "channel", "x")``. Of labeled
        data a table from their names to these.
    layout
        How files are read: ``"auto"`` finds out.
    fields
        The channels to predict: names of fields or of their components, in order; by default all
        that vary in time.
    constants
        Fields and numbers that do not vary in time and that the network is given as further
        channels, which are not predicted; ``"all"`` are all of them.
    stride
        Frames from one that is used to the next.
    crop
        First and last point (not included) along each axis: ``((0, 64), (0, 64))``.
    coarsen
        Points along each axis that become one, their mean; a number for all axes or one an axis.
    split
        Which trajectories are for training, validation and testing: ``"file"``, what the files
        say; ``"0.8;0.1;0.1"``, parts; ``"40;5;5"``, numbers; ``"last;0.1"`` or ``"first;0.1"``, a
        part for testing in the order of the files.
    split_seed
        From which trajectories are drawn, where they are.
    boundary
        The boundary of the grid, where the file is silent or wrong: ``"periodic"``,
        ``"wall"`` or ``"open"``.
    data_memory
        Memory for training data, such as ``"2GB"``; of larger ones, windows are read while the
        network is trained. By default all are held in memory.
    name
        The name of the data in results; by default that in the file.
    num_train_samples, num_test_samples
        Trajectories that are used, the first of each part; 0 takes all.
    train_temporal_horizon, test_temporal_horizon
        Steps that are used of each trajectory, the initial state not counted; 0 takes all.
    num_valid_samples
        Trajectories for validation, the first of the middle part of the split; 0 takes all where
        ``select``, ``patience`` or a callback needs them, else none.
    valid_temporal_horizon
        Steps that are used of each of these; 0 takes all.

    Raises
    ------
    SpecError
        If the source cannot be read as trajectories, or a parameter does not fit it.
    StoreError
        If a file is damaged.
    MissingExtraError
        If a package for the format or the URL is missing.

    Examples
    --------
    >>> data = apexr.Recorded("burgers.hdf5", split="0.8;0.1;0.1")
    >>> apexr.run(data, net="FNO;12;8;4;gelu", train="one", num_seeds=3)
    """

    positional: ClassVar[tuple[str, ...]] = ("source",)
    is_simulated: ClassVar[bool] = False

    source: Any = None
    dims: Any = ()
    layout: str = AUTO
    fields: Any = ()
    constants: Any = ()
    stride: PositiveInt = 1
    crop: Any = ()
    coarsen: Any = 1
    split: str = AUTO
    split_seed: Seed = 0
    boundary: str = AUTO
    data_memory: Any = None
    name: str = ""
    num_train_samples: Count = 0
    train_temporal_horizon: Count = 0
    num_test_samples: Count = 0
    test_temporal_horizon: Count = 0
    valid_seed: Seed = derived()

    num_spatial_dims: int = derived()
    num_points: Points = derived()
    num_channels: int = derived()
    domain_extent: Extent = derived()
    dt: float | None = derived()
    ic_config: str = derived()
    num_warmup_steps: int = derived()
    train_seed: int = derived()
    test_seed: int = derived()
    subset_of: Count = derived()

    # --- from the source to a scenario -----------------------------------------------------------

    def _derive(self) -> None:
        """Open the source and set what follows from it."""
        if self.source is None:
            raise SpecError("source is missing: the path of the data, or an array with dims")
        memory = None if self.data_memory is None else read_bytes("data_memory", self.data_memory)
        given = {
            name: getattr(self, name)
            for name in (
                *("source", "dims", "fields", "constants", "crop", "coarsen", "data_memory"),
                *("num_train_samples", "train_temporal_horizon"),
                *("num_test_samples", "test_temporal_horizon"),
                *("num_valid_samples", "valid_temporal_horizon"),
            )
        }
        if self.boundary not in (AUTO, *BOUNDARIES):
            hint = suggest(self.boundary, BOUNDARIES)
            raise SpecError(
                f"boundary must be one of {', '.join((AUTO, *BOUNDARIES))}, got"
                f" {self.boundary!r}{hint}"
            )
        self._set(_given=given, _memory=memory, _opened=None, _view=None, _split=None)
        known = Known.read(self.source) if isinstance(self.source, Mapping) else None
        known = self._open() if known is None else known
        self._set(
            _known=known,
            num_spatial_dims=len(known.points),
            num_points=known.points,
            num_channels=len(known.fields),
            domain_extent=known.extents,
            dt=known.dt,
            ic_config="none: recorded",
            num_warmup_steps=0,
            train_seed=0,
            test_seed=0,
            valid_seed=LATER["valid_seed"],
            subset_of=0,
        )
        for part in ("train", "test"):
            self._set_sizes(part, *known.sizes[part])
        self._set_valid_sizes()

    def _open(self) -> Known:
        """Return what is known of the source, having opened it."""
        opened = open_source(self.source, self.layout, self.dims)
        view = View.of(
            opened.recordings,
            fields=named(self.fields),
            constants=named(self.constants),
            stride=self.stride,
            crop=self.crop,
            coarsen=self.coarsen,
        )
        usual = opened.recordings[0].usual_split
        split = make_split(self.split, self.split_seed, view.parts, usual)
        self._set(_opened=opened, _view=view, _split=split)
        return of_opened(opened, view, split, self.boundary)

    def _set_sizes(self, part: str, samples: int, frames: int) -> None:
        """Set how much of a part is used; the given sizes are compared with the existing ones.

        Raises
        ------
        SpecError
            If more is asked for than there is.
        """
        for name, most, what in (
            (f"num_{part}_samples", samples, "trajectories"),
            (f"{part}_temporal_horizon", frames - 1, "steps"),
        ):
            asked = self._given[name]  # type: ignore[attr-defined]
            if most < 1:
                raise SpecError(
                    f"there are no {what} for {part}ing (split {self._known.split!r}, stride"  # type: ignore[attr-defined]
                    f" {self.stride}); take another split or a smaller stride, or more data"
                )
            if asked > most:
                raise SpecError(
                    f"{name} must be at most {most}, the {what} that there are for {part}ing"
                    f" (split {self._known.split!r}, stride {self.stride}), got {asked}"  # type: ignore[attr-defined]
                )
            self._set(**{name: asked or most})

    def _set_valid_sizes(self) -> None:
        """Set how much of the middle part of the split is used for validation.

        Raises
        ------
        SpecError
            If more is asked for than there is.
        """
        split: Split | None = self._split  # type: ignore[attr-defined]
        wanted = self.select != "last" or self.patience > 0 or _needs_valid_data(self.callbacks)
        if split is None or not (self.num_valid_samples or wanted):
            return
        there, view = len(split.valid), self._view  # type: ignore[attr-defined]
        if not there:
            raise SpecError(
                f"there are no trajectories for validation (split {split.config!r}); give another"
                " split, such as '0.8;0.1;0.1', or more data"
            )
        if self.num_valid_samples > there:
            raise SpecError(
                f"num_valid_samples must be at most {there}, the trajectories that there are for"
                f" validation (split {split.config!r}), got {self.num_valid_samples}"
            )
        steps = view.num_frames(split.valid) - 1
        if self.valid_temporal_horizon > steps:
            raise SpecError(
                f"valid_temporal_horizon must be at most {steps}, the steps that there are for"
                f" validation (stride {self.stride}), got {self.valid_temporal_horizon}"
            )
        self._set(
            num_valid_samples=self.num_valid_samples or there,
            valid_temporal_horizon=self.valid_temporal_horizon or steps,
        )

    # --- identity and labels ---------------------------------------------------------------------

    @property
    def all_parameters(self) -> dict[str, Any]:
        """The parameters, given or left at their defaults."""
        return {**super().all_parameters, **self._given}  # type: ignore[attr-defined]

    @property
    def identifying_parameters(self) -> dict[str, Any]:
        """The facts that the numbers depend on: the content, not its path, and its used part."""
        held = {name: getattr(self, name) for name in type(self).parameters()}
        unused = [name for name in LATER if held.get(name) == LATER[name]]
        plain = {k: value for k, value in held.items() if k not in (*_NOT_DATA, *unused)}
        chosen = {name: list(named(held[name])) for name in ("fields", "constants")}
        lists = {n: json.loads(canonical_json(held[n])) for n in ("crop", "coarsen", "dims")}
        return {**plain, **chosen, **lists, "source": self._known.plain()}  # type: ignore[attr-defined]

    @property
    def changed_parameters(self) -> dict[str, Any]:
        """The parameters that differ from the defaults, the source in short."""
        return {**super().changed_parameters, "source": self._known.told}  # type: ignore[attr-defined]

    @property
    def numerics_attributes(self) -> dict[str, str]:
        """Attributes of results about the data."""
        known: Known = self._known  # type: ignore[attr-defined]
        told = {
            "source": known.told,
            "source_layout": known.layout,
            "source_digest": known.digest,
            "source_digest_of": known.digest_of,
            "source_boundary": ", ".join(known.boundaries),
            "fields": ", ".join(known.fields),
            "split": known.split,
        }
        if known.constants:
            told["constants"] = ", ".join(known.constants)
        split: Split | None = self._split  # type: ignore[attr-defined]
        if split is not None:
            told["train_trajectories"] = listed(split.train[: self.num_train_samples])
            told["valid_trajectories"] = listed(split.valid[: self.num_valid_samples or None])
            told["test_trajectories"] = listed(split.test[: self.num_test_samples])
        return told

    @property
    def axes(self) -> Axes:
        """The labels of the states."""
        known: Known = self._known  # type: ignore[attr-defined]
        counted = all(label.isdigit() for label in known.fields)
        return Axes(
            self.num_spatial_dims,
            self.num_points,
            self.grid.domain_extent,
            self.dt,
            None if counted else known.fields,
            known.origins,
            tuple(one.removesuffix(" (assumed)") for one in known.boundaries),
            known.units,
        )

    def get_scenario_name(self) -> str:
        """Return ``{D}d_`` and the name of the data."""
        known: Known = self._known  # type: ignore[attr-defined]
        word = _WORD.sub("_", self.name or known.name or "recorded").strip("_").lower()
        prefix = f"{self.num_spatial_dims}d_"
        return word if word.startswith(prefix) else f"{prefix}{word or 'recorded'}"

    def __repr__(self) -> str:
        shown = {**self.all_parameters, "source": self._known.told}  # type: ignore[attr-defined]
        lines = [f"  {name}={value!r}" for name, value in shown.items()]
        return "Recorded(\n" + ",\n".join(lines) + "\n)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Recorded):
            return NotImplemented
        return self.identifying_parameters == other.identifying_parameters

    def __hash__(self) -> int:
        return hash(canonical_json(self.identifying_parameters))

    # --- data ------------------------------------------------------------------------------------

    @property
    def num_constants(self) -> int:
        """Channels that the network is given and that are not predicted."""
        return len(self._known.constants)  # type: ignore[attr-defined]

    @property
    def memory_of_data(self) -> int | None:
        """Bytes that training data may take."""
        return self._memory  # type: ignore[attr-defined]

    def recorded_data(self, split: Literal["train", "test", "valid"]) -> Streamed:
        """Return the trajectories of a part, which are read when they are needed.

        Raises
        ------
        SpecError
            If the data are not at hand, or have changed meanwhile.
        """
        return self._trajectories(getattr(self._require(), split), split)

    def get_valid_data(self) -> Any:
        """Return the trajectories for validation, ``(sample, time, channel, *space)``.

        Those of the whole middle part of the split where an experiment uses none.

        Raises
        ------
        SpecError
            If the split has none.
        """
        from apexr import labels

        chosen = self._require().valid
        if not chosen:
            raise SpecError(f"the split {self._known.split!r} has no trajectories for validation")  # type: ignore[attr-defined]
        values = self._trajectories(chosen, "valid")[:][:, :, : self.num_channels]
        attrs = {**_data.provenance(self), "split": "valid"}
        return labels.trajectories(values, self.axes, attrs=attrs)

    def _trajectories(self, chosen: Sequence[int], part: str) -> Streamed:
        view: View = self._view  # type: ignore[attr-defined]
        samples = getattr(self, f"num_{part}_samples") or len(chosen)
        horizon = getattr(self, f"{part}_temporal_horizon") or view.num_frames(chosen) - 1
        dtype = jax.dtypes.canonicalize_dtype(float)
        channels = self.num_channels + self.num_constants

        def read(sample: int, first: int, last: int) -> np.ndarray:
            with np.errstate(over="ignore"):  # looked at as what is not finite
                return view.read(chosen[sample], first, last).astype(dtype, copy=False)

        return Streamed((samples, horizon + 1, channels, *view.shape), dtype, read)

    def _require(self) -> Split:
        """Return the split, where the data are at hand and as they were.

        Raises
        ------
        SpecError
            If they are not.
        """
        opened: Opened | None = self._opened  # type: ignore[attr-defined]
        if opened is None:
            raise SpecError(
                f"the recorded data of {self._known.told} (digest {self._known.digest}) are not at"  # type: ignore[attr-defined]
                " hand: give the scenario itself, as apexr.Recorded(PATH, …)"
            )
        opened.check_unchanged()
        return self._split  # type: ignore[attr-defined]

    def tell_data(self) -> str:
        """Return what was recognized, in a line."""
        return self._known.summary()  # type: ignore[attr-defined]

    # --- what recorded data cannot do ------------------------------------------------------------

    def check_experiment(self, emulator: EmulatorPlan, training: TrainingPlan) -> None:
        """Refuse what needs the solver, a network for other boundaries, and data with gaps.

        Raises
        ------
        SpecError
            With the reason and what to do instead.
        """
        if training.objective.needs_reference:
            raise SpecError(
                f"training config {str(training.objective)!r}: {NO_SOLVER}; train with 'one' or"
                " 'sup;STEPS', which compare with the trajectories"
            )
        self._check_boundary(emulator)
        if training.room(_data.shapes(self)["train"], 1) is not None:
            check_loader()
        if self._opened is not None:  # type: ignore[attr-defined]
            split = self._require()
            held = {part: getattr(split, part) for part in PARTS}
            parts = {part: self._trajectories(of, part) for part, of in held.items() if of}
            check_finite(parts, self._where, self)

    def _where(self, part: str, sample: int) -> str:
        """Return which trajectory the sample of a part is."""
        chosen = getattr(self._split, part)[sample]  # type: ignore[attr-defined]
        return f"trajectory {chosen} of {self._known.told}"  # type: ignore[attr-defined]

    def _check_boundary(self, emulator: EmulatorPlan) -> None:
        known: Known = self._known  # type: ignore[attr-defined]
        said = {one.removesuffix(" (assumed)") for one in known.boundaries} - {"periodic"}
        if is_overridden(self, "get_network") or is_overridden(self, "get_neural_stepper"):
            return
        missing = sorted(said - set(emulator.network.boundaries))
        if missing and "any" not in emulator.network.boundaries:
            registry = NETWORKS.registry
            able = [
                name
                for name in registry.names()
                if {"any", *said} & set(registry.get(name).boundaries)
            ]
            raise SpecError(
                f"network {str(emulator.network)!r} goes on periodically beyond the ends of the"
                f" grid, and the data have the boundary {missing[0]!r}; networks without that"
                f" assumption: {', '.join(able)}. Or say boundary='periodic' to train it all the"
                " same"
            )

    def get_ref_stepper(self) -> Any:
        """Refuse: there is no solver.

        Raises
        ------
        SpecError
            Always.
        """
        raise SpecError(NO_SOLVER)

    def get_coarse_stepper(self) -> Any:
        """Refuse: there is no solver.

        Raises
        ------
        SpecError
            Always.
        """
        raise SpecError(f"{NO_SOLVER}, and none can be corrected; take the task 'predict'")

    def get_ic_generator(self) -> Any:
        """Refuse: initial states are recorded.

        Raises
        ------
        SpecError
            Always.
        """
        raise SpecError("recorded trajectories begin with their own states; none are drawn")

    def produce_data(self, **_: Any) -> Any:
        """Refuse: there is no solver.

        Raises
        ------
        SpecError
            Always.
        """
        raise SpecError(NO_SOLVER)
