locals {
  services = concat(
    [
      "artifactregistry.googleapis.com",
      "bigquery.googleapis.com",
      "cloudresourcemanager.googleapis.com",
      "iam.googleapis.com",
      "iamcredentials.googleapis.com",
      "logging.googleapis.com",
      "monitoring.googleapis.com",
      "run.googleapis.com",
      "secretmanager.googleapis.com",
      "storage.googleapis.com",
      "sts.googleapis.com",
    ],
    var.monthly_budget == null ? [] : ["billingbudgets.googleapis.com"],
  )
}

resource "google_project_service" "needed" {
  for_each = toset(local.services)

  service            = each.key
  disable_on_destroy = false # others in the project may use it
}
