"""The configuration: where it lies, what is typed on the command line, checks of a composed one."""
