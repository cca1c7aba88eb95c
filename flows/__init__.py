"""Landfall's flows: web data makes landfall in BigQuery."""

# the distribution's too (pyproject.toml): flows also run from a folder, where nothing is installed
__version__ = "0.1.0"
