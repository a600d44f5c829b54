"""The architectures: one file, one class, one set of equations each."""
