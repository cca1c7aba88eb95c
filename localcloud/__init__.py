"""The cloud on a laptop: storage, BigQuery, a metadata server and a publisher, all on the loopback interface.

`python -m localcloud --help` says what it can do. Nothing that runs on Google Cloud imports this package.
"""
