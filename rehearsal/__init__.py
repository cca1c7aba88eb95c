"""The whole path, rehearsed on one machine: infrastructure, blocks, deployments, Cloud Run jobs, rows."""
