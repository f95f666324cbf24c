"""The version of the hook; published with the handles."""

__version__ = "0.1.0"
