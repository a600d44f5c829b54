"""The configuration: its folder, the arguments of a command, checks of a composed config."""
