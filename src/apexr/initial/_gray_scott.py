"""The start of the Gray-Scott scenarios."""

from jaxtyping import Array, Float, PRNGKeyArray

from apexr.initial._blobs import GaussianBlobs
from apexr.initial._channels import Channels
from apexr.initial._function import StateFunction
from apexr.initial._kind import InitialCondition, initial_condition
from apexr.spectral import Grid

_BOTH = Channels((GaussianBlobs(1, one_complement=True), GaussianBlobs(1)))


@initial_condition("gray_scott_blobs")
class GrayScottBlobs(InitialCondition):
    """gray_scott_blobs - a substrate with a blob missing, and another blob of activator.

    The same as ``channels;blobs;1;true|blobs;1``, two channels.
    """

    @property
    def num_channels(self) -> int:
        """The two substances."""
        return _BOTH.num_channels

    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "2 *space"]:
        """Return one state; the key is split, one key a channel."""
        return _BOTH.sample(grid, key)

    def sample_function(self, grid: Grid, key: PRNGKeyArray) -> StateFunction:
        """Return one state; the key is split, one key a channel."""
        return _BOTH.sample_function(grid, key)
