"""Handlers that show a feature, ready to be named in templates."""
