"""The package's version, which is the host's."""

__version__ = "0.1.0"
