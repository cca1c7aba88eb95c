# What blocks and deployments read: `terraform output -json`. All are strings, but for one number and what GitHub reads.

output "environment" {
  description = "The environment's name."
  value       = var.environment
}

output "project_id" {
  description = "The project."
  value       = var.project_id
}

output "region" {
  description = "Where runs are started."
  value       = var.region
}

output "location" {
  description = "Where bucket and dataset are."
  value       = var.location
}

output "lake_bucket" {
  description = "The lake's bucket."
  value       = google_storage_bucket.lake.name
}

output "warehouse_dataset" {
  description = "The warehouse's dataset id."
  value       = google_bigquery_dataset.warehouse.dataset_id
}

output "run_service_account" {
  description = "Who runs are, by email."
  value       = google_service_account.run.email
}

output "worker_service_account" {
  description = "Who the worker is, by email."
  value       = google_service_account.worker.email
}

output "github" {
  description = "The variables of the GitHub repository that its workflows read; empty without github_repository."
  value = var.github_repository == null ? {} : {
    LANDFALL_PLAN_ACCOUNT    = google_service_account.github["plan"].email
    LANDFALL_PLAN_PROVIDER   = google_iam_workload_identity_pool_provider.github["plan"].name
    LANDFALL_DEPLOY_ACCOUNT  = google_service_account.github["deploy"].email
    LANDFALL_DEPLOY_PROVIDER = google_iam_workload_identity_pool_provider.github["deploy"].name
    LANDFALL_APPLIES         = tostring(var.github_applies)
    LANDFALL_IMAGES          = local.images
    LANDFALL_PREFECT_API_URL = var.prefect_api_url == null ? "" : var.prefect_api_url
    LANDFALL_PREFECT_AUTH    = var.prefect_auth
  }
}

output "artifact_registry" {
  description = "Where images are pushed: host/project/repository."
  value       = local.images
}

output "prefect_api_secret" {
  description = "The id of the secret that holds Prefect's API key or auth string."
  value       = google_secret_manager_secret.prefect_api.secret_id
}

output "prefect_auth" {
  description = "What that secret holds: api_key or auth_string."
  value       = var.prefect_auth
}

output "work_pool" {
  description = "The Prefect work pool that the worker asks for runs."
  value       = local.work_pool
}

output "work_pool_concurrency" {
  description = "How many of its runs may be at work at once."
  value       = var.work_pool_concurrency
}

output "log_level" {
  description = "What runs log."
  value       = var.log_level
}

output "database_url" {
  description = "The address of a database beside the warehouse, without its password; no output if there is none."
  value       = var.database_url
}
