resource "google_secret_manager_secret" "prefect_api" {
  secret_id = "landfall-${var.environment}-prefect-api"
  project   = var.project_id
  labels    = local.labels

  replication {
    auto {}
  }

  depends_on = [google_project_service.needed]
}

# The value is write-only: in no plan and in no state. Terraform cannot see it change; raising the version sends it.
resource "google_secret_manager_secret_version" "prefect_api" {
  count = var.prefect_api_secret_version == 0 ? 0 : 1

  secret                 = google_secret_manager_secret.prefect_api.id
  secret_data_wo         = var.prefect_api_secret
  secret_data_wo_version = var.prefect_api_secret_version

  lifecycle {
    create_before_destroy = true # if the new value is refused (forgotten, so empty), the old one still stands
  }
}

# Those that talk to Prefect, each by a binding on this one secret; pull requests do not.
resource "google_secret_manager_secret_iam_member" "reads_prefect_api" {
  for_each = merge(
    {
      run    = google_service_account.run.member
      worker = google_service_account.worker.member
    },
    var.github_repository == null ? {} : { deploy = google_service_account.github["deploy"].member },
  )

  project   = var.project_id
  secret_id = google_secret_manager_secret.prefect_api.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value
}
