"""What becomes of runs: Prefect's word on them, Cloud Run's, and what to do where the two differ."""
