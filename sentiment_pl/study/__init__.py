"""The reference study: its figures and claims."""
