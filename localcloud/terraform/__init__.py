"""A stand-in for the google provider: Terraform's own core runs the real configuration on the local cloud.

docs/local-terraform.md says what a run with it proves and what it does not.
"""
