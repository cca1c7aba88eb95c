"""The work beneath the flows: plain Python that knows no Prefect and reads no environment variable."""
