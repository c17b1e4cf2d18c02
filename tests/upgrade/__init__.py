"""A rolling upgrade from an older release to this tree, and the way back, under load: `make upgrade`."""
