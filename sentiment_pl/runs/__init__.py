"""The run folder: the names of its files, its record and its settings."""
