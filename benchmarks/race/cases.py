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
    num_seeds: int = 1
    fields: Mapping[str, Any] = MappingProxyType({})
    scenario: str = "diff_adv"


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
    "res-one-1": Training(RES, "one", 1, (50, 550), 2.4),
    "res-one-10": Training(RES, "one", 10, (10, 60), 4.4),
    "unet-one-1": Training(UNET, "one", 1, (50, 550), 3.0),
    "unet-one-10": Training(UNET, "one", 10, (10, 60), 4.6),
    "dil-one-1": Training(DIL, "one", 1, (30, 230), 2.1),
    "dil-one-10": Training(DIL, "one", 10, (5, 30), 4.2),
    "conv-2d-1": Training(CONV, "one", 1, (5, 35), 7.0, TWO),
    "conv-2d-4": Training(CONV, "one", 4, (2, 10), 14.0, TWO),
    "fno-2d-1": Training(FNO, "one", 1, (20, 120), 2.2, TWO),
    "fno-2d-4": Training(FNO, "one", 4, (5, 30), 3.8, TWO),
    "unet-2d-1": Training(UNET, "one", 1, (10, 60), 2.8, TWO),
    "conv-3d-1": Training("Conv;8;4;relu", "one", 1, (5, 25), 9.0, THREE),
    # all else is to be no slower than the peer
    "mlp-one-1": Training("MLP;64;3;relu", "one", 1, (100, 1100), 1.0),
    "pure-one-1": Training("Pure;3;identity", "one", 1, (100, 1100), 1.0),
    "mores-one-1": Training("MoRes;26;8;relu", "one", 1, (50, 450), 1.0),
    "mounet-one-1": Training("MoUNet;12;2;relu", "one", 1, (50, 450), 1.0),
    "res-2d-1": Training("Res;16;4;relu", "one", 1, (5, 35), 1.0, TWO),
    "dil-2d-1": Training("Dil;1;16;2;relu", "one", 1, (5, 35), 1.0, TWO),
    "fno-3d-1": Training("FNO;4;6;3;gelu", "one", 1, (5, 25), 1.0, THREE),
    "unet-3d-1": Training("UNet;8;1;relu", "one", 1, (5, 25), 1.0, THREE),
    "conv-div3-1": Training(CONV, "div;3", 1, (30, 230), 1.0),
    "fno-sup5-1": Training(FNO, "sup;5", 1, (50, 450), 1.0),
    "burgers-conv-div3-1": Training(CONV, "div;3", 1, (30, 130), 1.0, {}, "diff_burgers"),
    "unet-2d-sup3-1": Training(UNET, "sup;3", 1, (5, 25), 1.0, TWO),
}
SMALL = (200, (4.0, 4.0), 2, {"num_points": 48}, "diff_burgers")  # compiles longer than it trains
PROCESSES = {
    "process-1": Process(CONV, "one", 1000, (2.0, 3.0)),
    "small-conv": Process("Conv;16;6;relu", "one", *SMALL),
    "small-unet": Process("UNet;8;2;relu", "one", *SMALL),
    "small-fno": Process("FNO;12;8;4;gelu", "one", *SMALL),
}
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
