locals {
  work_pool = "landfall-${var.environment}"

  prefect_secret_variable = { api_key = "PREFECT_API_KEY", auth_string = "PREFECT_API_AUTH_STRING" }[var.prefect_auth]
}

# Prefect's worker: it asks Prefect for runs and makes a Cloud Run job for each. One is enough; it does none of the work.
resource "google_cloud_run_v2_worker_pool" "worker" {
  count = var.worker_image == null ? 0 : 1

  name                = "landfall-${var.environment}-worker"
  project             = var.project_id
  location            = var.region
  deletion_protection = var.protect
  labels              = local.labels

  scaling {
    manual_instance_count = 1
  }

  template {
    service_account = google_service_account.worker.email

    containers {
      image   = var.worker_image
      command = ["prefect"]
      args    = ["worker", "start", "--pool", local.work_pool, "--type", "cloud-run-v2"]

      resources {
        limits = { cpu = "1", memory = "512Mi" }
      }

      env {
        name  = "PREFECT_API_URL"
        value = var.prefect_api_url
      }
      env {
        name  = "PREFECT_LOGGING_LEVEL"
        value = var.log_level
      }
      env {
        name = local.prefect_secret_variable
        value_source {
          secret_key_ref {
            secret  = google_secret_manager_secret.prefect_api.secret_id
            version = "latest"
          }
        }
      }
    }
  }

  # it starts at once, and needs all of these
  depends_on = [
    google_project_iam_member.worker_starts_runs,
    google_secret_manager_secret_iam_member.reads_prefect_api,
    google_secret_manager_secret_version.prefect_api,
    google_service_account_iam_member.worker_starts_as_itself,
    google_service_account_iam_member.worker_starts_as_run,
  ]
}
