"""Train, compare and read small, interpretable sentiment models."""

__version__ = "0.2.0"
