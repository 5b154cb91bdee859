"""The version, on its own, so that the build reads it without importing us."""

__version__ = "0.1.0"
