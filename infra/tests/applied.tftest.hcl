# An apply to its end, with a mocked provider, and what it gives to blocks and deployments.

mock_provider "google" {}

override_resource {
  target = google_service_account.run
  values = { email = "run@example.com" }
}

override_resource {
  target = google_service_account.worker
  values = { email = "worker@example.com" }
}

variables {
  environment = "dev"
  project_id  = "example-dev"

  # with a default alone, `terraform test` 1.11 takes it for unset in the plan and for set in the apply
  prefect_api_secret = ""

  database_url = "postgresql+psycopg2://etl@db.example.org:5432/trips"
}

run "blocks_and_deployments_read_these_outputs" {
  assert {
    condition = {
      environment            = output.environment
      project_id             = output.project_id
      region                 = output.region
      location               = output.location
      lake_bucket            = output.lake_bucket
      warehouse_dataset      = output.warehouse_dataset
      run_service_account    = output.run_service_account
      worker_service_account = output.worker_service_account
      github                 = length(output.github)
      artifact_registry      = output.artifact_registry
      prefect_api_secret     = output.prefect_api_secret
      prefect_auth           = output.prefect_auth
      work_pool              = output.work_pool
      work_pool_concurrency  = output.work_pool_concurrency
      log_level              = output.log_level
      database_url           = output.database_url
      } == {
      environment            = "dev"
      project_id             = "example-dev"
      region                 = "us-central1"
      location               = "US"
      lake_bucket            = "example-dev-landfall-dev-lake"
      warehouse_dataset      = "landfall_dev"
      run_service_account    = "run@example.com"
      worker_service_account = "worker@example.com"
      github                 = 0
      artifact_registry      = "us-central1-docker.pkg.dev/example-dev/landfall-dev"
      prefect_api_secret     = "landfall-dev-prefect-api"
      prefect_auth           = "api_key"
      work_pool              = "landfall-dev"
      work_pool_concurrency  = 10
      log_level              = "INFO"
      database_url           = "postgresql+psycopg2://etl@db.example.org:5432/trips"
    }
    error_message = "an output is another"
  }
}
