"""Many units together: read as one, listed, checked, repaired, merged."""
