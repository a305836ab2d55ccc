"""Labeled results reduced to fewer numbers: means, horizons, spectra, scores, costs."""
