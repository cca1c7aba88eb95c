environment = "dev"
project_id  = "example-landfall-dev" # yours
region      = "us-central1"
location    = "US"
protect     = false

superseded_retention_days = 14
soft_delete_days          = 0
table_expiration_days     = 90

work_pool_concurrency = 4
