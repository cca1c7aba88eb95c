# The local cloud: `make apply ENV=local`, which keeps the state in a file. Everything is on, so that the whole of infra/ is tried.
environment = "local"
project_id  = "local"
protect     = false
lake_bucket = "landfall-local-lake"

github_repository = "example/landfall"
github_owner_id   = "1"
github_applies    = true # without `state_bucket`: here the state is a file

# no container runs there: on a laptop the worker is a process
prefect_api_url            = "http://localhost:4200/api"
prefect_auth               = "auth_string"
prefect_api_secret_version = 1 # the value is the local Prefect server's: `make apply` gives it
worker_image               = "prefecthq/prefect:3.8.8-python3.11"
work_pool_concurrency      = 4

alert_emails            = ["data@example.org"]
missing_run_after_hours = 25
