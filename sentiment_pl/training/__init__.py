"""One training: callbacks, checkpoints, resuming, several processes, loggers, the console."""
