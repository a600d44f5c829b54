"""Train, compare and read small, interpretable sentiment models."""

__version__ = "0.1.0"
