"""A study's notes about unpublished experiments: claims, failures, plans, checkpoints."""
