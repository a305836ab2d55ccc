"""The groups of golden arrays; each is a function that writes its files to a folder."""

from collections.abc import Callable
from pathlib import Path

from golden._data import write_data
from golden._data_other import write_data_other
from golden._data_special import write_data_special
from golden._initial import write_initial
from golden._initial_more import write_initial_more
from golden._initial_noise import write_initial_noise
from golden._metrics import write_metrics
from golden._network_parts import write_network_parts
from golden._networks import write_networks
from golden._objectives import write_objectives
from golden._results import write_results
from golden._spectral import write_spectral
from golden._training import write_training
from golden._training_correct import write_training_correct

__all__ = ["GROUPS"]

GROUPS: dict[str, Callable[[Path], None]] = {
    "metrics": write_metrics,
    "spectral": write_spectral,
    "initial": write_initial,
    "initial_more": write_initial_more,
    "initial_noise": write_initial_noise,
    "networks": write_networks,
    "network_parts": write_network_parts,
    "data": write_data,
    "data_other": write_data_other,
    "data_special": write_data_special,
    "objectives": write_objectives,
    "training": write_training,
    "training_correct": write_training_correct,
    "results": write_results,
}
