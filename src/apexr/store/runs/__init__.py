"""What a study knows of what is not published: claims, failures, plans, checkpoints."""
