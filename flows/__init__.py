"""Landfall's flows: web data makes landfall in BigQuery."""
