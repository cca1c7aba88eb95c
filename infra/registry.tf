locals {
  images = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"
}

resource "google_artifact_registry_repository" "images" {
  #checkov:skip=CKV_GCP_84:Google's own keys encrypt it; the images hold no data and no secret
  repository_id = "landfall-${var.environment}"
  project       = var.project_id
  location      = var.region
  format        = "DOCKER"
  labels        = local.labels

  # A policy that keeps wins over one that deletes.
  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "2592000s" # 30 days
    }
  }
  cleanup_policies {
    id     = "keep-newest"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }

  # what `worker_image` names: it changes seldom, and would be deleted under the worker
  cleanup_policies {
    id     = "keep-workers"
    action = "KEEP"
    condition {
      tag_state    = "TAGGED"
      tag_prefixes = ["worker"]
    }
  }

  depends_on = [google_project_service.needed]
}

resource "google_artifact_registry_repository_iam_member" "deploy_pushes" {
  count = var.github_repository == null ? 0 : 1

  project    = var.project_id
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.repository_id
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.github["deploy"].member
}

# Whoever makes a Cloud Run job must be able to read its image.
resource "google_artifact_registry_repository_iam_member" "worker_reads" {
  project    = var.project_id
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.repository_id
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.worker.member
}
