"""What is raced: trainings and rollouts of the solver, with the ratio that is to be reached."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

CONV = "Conv;26;10;relu"
FNO = "FNO;12;8;4;gelu"
RES = "Res;26;8;relu"
UNET = "UNet;12;2;relu"
DIL = "Dil;2;32;2;relu"
TWO = {"num_spatial_dims": 2, "num_points": 32}
THREE = {"num_spatial_dims": 3, "num_points": 16}


class Training(NamedTuple):
    """A training, and the update counts whose difference is timed."""

    net: str
    train: str
    num_seeds: int
    updates: tuple[int, int]
    bound: float
    fields: Mapping[str, Any] = MappingProxyType({})
    scenario: str = "diff_adv"  # 160 points in 1D, batches of 20


class Process(NamedTuple):
    """A whole process that trains, from its start to the result."""

    net: str
    train: str
    updates: int
    bounds: tuple[float, float]  # of the first and of the second run


class Rollout(NamedTuple):
    """Trajectories of a scenario's reference stepper, from its own initial states."""

    scenario: str
    fields: dict[str, Any]
    num_samples: int
    num_steps: int
    bound: float


TRAININGS = {
    "conv-one-1": Training(CONV, "one", 1, (100, 1100), 2.2),
    "conv-one-10": Training(CONV, "one", 10, (20, 120), 4.5),
    "fno-one-1": Training(FNO, "one", 1, (200, 2200), 4.5),
    "fno-one-10": Training(FNO, "one", 10, (50, 350), 7.0),
    "conv-sup5-1": Training(CONV, "sup;5", 1, (30, 230), 2.5),
}
PROCESSES = {"process-1": Process(CONV, "one", 1000, (2.0, 3.0))}
ROLLOUTS = {
    "ns-2d-160": Rollout("phy_decay_turb", {"num_spatial_dims": 2}, 8, 20, 3.0),
    "ns-2d-64": Rollout("phy_decay_turb", {"num_spatial_dims": 2, "num_points": 64}, 8, 100, 2.6),
    "burgers1c-2d-160": Rollout("diff_burgers_sc", {"num_spatial_dims": 2}, 8, 20, 2.5),
    "burgers-2d-160": Rollout("diff_burgers", {"num_spatial_dims": 2}, 8, 20, 4.0),
    "burgers-3d-32": Rollout("diff_burgers", {"num_spatial_dims": 3, "num_points": 32}, 8, 20, 3.0),
    "gs-2d-160": Rollout("phy_gs", {"num_spatial_dims": 2}, 8, 4, 3.0),
    "burgers-1d-160": Rollout("diff_burgers", {}, 30, 1000, 1.6),
    "ks-1d-160": Rollout("diff_ks", {"num_warmup_steps": 0}, 30, 400, 1.5),
    "adv-1d-160": Rollout("diff_adv", {}, 30, 1000, 2.0),
}
CASES: dict[str, Training | Process | Rollout] = {**TRAININGS, **PROCESSES, **ROLLOUTS}
