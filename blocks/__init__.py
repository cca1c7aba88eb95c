"""From Terraform's outputs to Prefect's blocks."""
