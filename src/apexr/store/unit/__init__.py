"""One unit: what is published by one rename, from its names to its numbers."""
