"""Random initial conditions of every config string."""

from pathlib import Path

import numpy as np

from golden._files import write_archive
from golden._scenario import build, free_compiled

FLAGS = ("true;true", "true;false", "false;true", "false;false")
CONFIGS = (
    *(f"fourier;{cutoff};{flags}" for cutoff in (2, 5) for flags in FLAGS),
    *(f"diffused;0.001;{flags}" for flags in FLAGS),
    "diffused;0.01;true;true",
    *(f"grf;3.0;{flags}" for flags in FLAGS),
    "grf;2.0;true;true",
    "clamp;0.0;1.0;fourier;5;false;false",
    "clamp;-2.0;0.5;fourier;2;true;true",
    "clamp;0.0;1.0;diffused;0.001;true;true",
    "clamp;0.2;0.8;grf;3.0;true;false",
)
NUM_SAMPLES = 2
# (points, channels, seed)
VARIANTS = {
    1: tuple((n, c, seed) for n in (32, 31) for c in (1, 2) for seed in (0, 773)),
    2: ((12, 1, 0), (13, 2, 773)),
    3: ((6, 1, 0), (7, 2, 773)),
}


def write_initial(folder: Path) -> None:
    """Write ``initial.npz``."""
    arrays, shapes = {}, {}
    for dims, variants in VARIANTS.items():
        for num_points, num_channels, seed in variants:
            shape = f"{dims}d_n{num_points}_c{num_channels}_s{seed}"
            kwargs = {
                "num_spatial_dims": dims,
                "num_points": num_points,
                "num_channels": num_channels,
                "train_seed": seed,
                "num_train_samples": NUM_SAMPLES,
            }
            shapes[shape] = kwargs
            for config in CONFIGS:
                states = build("diff_adv", ic_config=config, **kwargs).get_train_ic_set()
                arrays[f"{shape}/{config}"] = np.asarray(states)
            free_compiled()
    write_archive(folder / "initial.npz", arrays, {"configs": CONFIGS, "shapes": shapes})
