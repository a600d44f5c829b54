"""Metrics of a split, their intervals, and tests of differences."""
