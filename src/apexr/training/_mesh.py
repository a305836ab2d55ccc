"""Which devices work on which seeds and which part of a batch."""

import math

import jax
import numpy as np
from jax.sharding import Mesh

SEED_AXIS = "seed"
BATCH_AXIS = "batch"


def seed_mesh(num_seeds: int) -> Mesh:
    """Return the devices as a grid (seed, batch).

    As many devices as divide the number of seeds evenly work on different seeds; the devices
    that are left over share the batch of each seed.
    """
    devices = jax.local_devices()
    across_seeds = math.gcd(num_seeds, len(devices))
    grid = np.array(devices).reshape(across_seeds, len(devices) // across_seeds)
    return Mesh(grid, (SEED_AXIS, BATCH_AXIS))
