"""The same work by hand and by stacklab, side by side in one run."""
