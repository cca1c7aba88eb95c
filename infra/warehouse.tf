# The dataset. Its tables belong to the loader, which makes and widens them from the contracts: this provider would
# drop and make again a table whose column changes its type.
resource "google_bigquery_dataset" "warehouse" {
  #checkov:skip=CKV_GCP_81:Google's own keys encrypt it; a key of one's own is one more thing to lose, and is asked for by rules we are not under
  dataset_id                  = "landfall_${replace(var.environment, "-", "_")}"
  project                     = var.project_id
  location                    = var.location
  friendly_name               = "Landfall ${var.environment}"
  default_table_expiration_ms = var.table_expiration_days == null ? null : var.table_expiration_days * 24 * 60 * 60 * 1000
  delete_contents_on_destroy  = !var.protect
  labels                      = local.labels

  depends_on = [google_project_service.needed]
}

resource "google_bigquery_dataset_iam_member" "run_edits_tables" {
  project    = var.project_id
  dataset_id = google_bigquery_dataset.warehouse.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.run.member
}

# Jobs belong to a project, so this role has no narrower place. It gives no access to data. An account sees the jobs
# that it made: all runs are one account, by hand too (see `operators`), so each can adopt another's load job.
resource "google_project_iam_member" "run_makes_jobs" {
  project = var.project_id
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.run.member
}
