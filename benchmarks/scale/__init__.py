"""Many partitions at once on one machine: Prefect's server, its worker and Cloud Run jobs, and what they need."""
