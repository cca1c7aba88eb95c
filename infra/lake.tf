# The lake. Its objects have names of their own and never change, so there is nothing for versions to keep.
resource "google_storage_bucket" "lake" {
  #checkov:skip=CKV_GCP_62:access logs are Cloud Audit Logs' business: the project turns data access logs on, not a bucket
  #checkov:skip=CKV_GCP_78:no object is ever overwritten, and versions would keep what the lifecycle deletes; soft delete brings back what was deleted by mistake
  name                        = coalesce(var.lake_bucket, "${var.project_id}-landfall-${var.environment}-lake")
  project                     = var.project_id
  location                    = var.location
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.protect
  labels                      = local.labels

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * 24 * 60 * 60
  }

  # What a newer claim replaced is copied to superseded/, so its age there counts from that moment.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = var.superseded_retention_days
      matches_prefix = ["superseded/"]
    }
  }

  depends_on = [google_project_service.needed]
}

# Objects may be made and deleted. Not narrower: a put-if-absent of the landing log that loses must be answered 412,
# and Cloud Storage may answer 403 to an account that could not overwrite the object that is there.
resource "google_storage_bucket_iam_member" "run_uses_objects" {
  bucket = google_storage_bucket.lake.name
  role   = "roles/storage.objectUser"
  member = google_service_account.run.member
}

# storage.buckets.get: a run reads the bucket's environment label before its first write.
resource "google_storage_bucket_iam_member" "run_reads_bucket" {
  bucket = google_storage_bucket.lake.name
  role   = "roles/storage.legacyBucketReader"
  member = google_service_account.run.member
}
