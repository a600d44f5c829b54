"""Multiruns: several runs at once on one machine, SLURM, what surrounds a sweep."""
