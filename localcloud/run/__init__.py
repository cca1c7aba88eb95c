"""Cloud Run on a laptop: jobs whose containers are processes of this machine.

docs/local-cloud.md says what a run on it proves and what it does not.
"""
