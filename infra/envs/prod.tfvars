environment = "prod"
project_id  = "example-landfall-prod" # yours
region      = "us-central1"
location    = "US"
protect     = true

superseded_retention_days = 90
soft_delete_days          = 30

missing_run_after_hours = 25
