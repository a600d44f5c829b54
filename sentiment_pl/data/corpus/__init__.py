"""The embedded corpus, which is generated."""
