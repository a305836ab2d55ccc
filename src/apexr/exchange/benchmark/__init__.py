"""Files of the published benchmark: its wide tables of results, and its networks' weights."""
