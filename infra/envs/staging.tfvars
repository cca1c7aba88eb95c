environment = "staging"
project_id  = "example-landfall-staging" # yours
region      = "us-central1"
location    = "US"
protect     = false

superseded_retention_days = 30

missing_run_after_hours = 25
