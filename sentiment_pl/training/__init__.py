"""Training of one model: callbacks, checkpoints, resuming, processes, loggers, the console."""
