"""The reference study: its published metrics and its claims, shown beside runs."""
