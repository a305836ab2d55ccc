"""Results as pandas tables: tidy and wide, and the published benchmark's helpers on them."""
