"""Checkpoints on labelled reviews: metrics, slices and contrast pairs."""
