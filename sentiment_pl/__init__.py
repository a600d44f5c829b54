"""Train, compare and read small, interpretable sentiment models."""

import os

# Threads that wait for the slowest of them sleep. By default they keep their cores busy, which on a
# machine with other work makes a step take more than ten times as long. PyTorch's OpenMP reads this
# when it is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.2.0"
