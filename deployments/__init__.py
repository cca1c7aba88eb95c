"""The deployments that prefect.yaml declares, brought to Prefect."""
