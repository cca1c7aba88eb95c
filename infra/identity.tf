# Accounts without a key: runs and worker get theirs from Cloud Run, people by impersonation; GitHub's are in github.tf.

resource "google_service_account" "run" {
  account_id   = "landfall-${var.environment}-run"
  project      = var.project_id
  display_name = "Landfall ${var.environment}: runs, which land data"

  depends_on = [google_project_service.needed]
}

resource "google_service_account" "worker" {
  account_id   = "landfall-${var.environment}-worker"
  project      = var.project_id
  display_name = "Landfall ${var.environment}: the worker, which starts runs"

  depends_on = [google_project_service.needed]
}

# People run flows by hand as the run's account, with its rights and no more.
resource "google_service_account_iam_member" "operator_is_run" {
  for_each = var.operators

  service_account_id = google_service_account.run.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = each.key
}

# The worker makes a Cloud Run job for each run, and removes it afterwards. A job that does not exist yet can carry no
# binding, so the role is the project's, with the calls that prefect-gcp's worker makes, and the list that flows/recover.py
# asks for, and no others.
resource "google_project_iam_custom_role" "start_runs" {
  role_id = "landfall_${replace(var.environment, "-", "_")}_start_runs"
  project = var.project_id
  title   = "Landfall ${var.environment}: start runs"
  permissions = [
    "run.executions.delete",
    "run.executions.get",
    "run.executions.list",
    "run.jobs.create",
    "run.jobs.delete",
    "run.jobs.get",
    "run.jobs.list",
    "run.jobs.run",
  ]

  depends_on = [google_project_service.needed]
}

resource "google_project_iam_member" "worker_starts_runs" {
  project = var.project_id
  role    = google_project_iam_custom_role.start_runs.id
  member  = google_service_account.worker.member
}

# The jobs that it makes run as this one account.
resource "google_service_account_iam_member" "worker_starts_as_run" {
  service_account_id = google_service_account.run.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.worker.member
}

# But for flows/recover.py: it removes jobs, which what lands data must not, and touches no data.
resource "google_service_account_iam_member" "worker_starts_as_itself" {
  service_account_id = google_service_account.worker.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.worker.member
}
