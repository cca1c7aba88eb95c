"""From Terraform's outputs to Prefect's blocks and work pool."""
