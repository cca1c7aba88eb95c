# Two things to be told of: a run that failed, and a run that should have been and was not. Both are read from the log
# of Cloud Run jobs, as Prefect writes it; a project holds one environment, so no name is asked for.
locals {
  channels = [for channel in google_monitoring_notification_channel.email : channel.id]

  run_ended  = "resource.type=\"cloud_run_job\" AND textPayload=~\"Flow run '.*' - Finished in state "
  run_failed = "${local.run_ended}(Failed|Crashed|TimedOut)\""
  # names of landings have a hyphen (flows/run_names.py); those of recover, reconcile, sweep and backfill have none: they land nothing themselves
  run_success = "resource.type=\"cloud_run_job\" AND textPayload=~\"Flow run '.*-.*' - Finished in state Completed\""
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  project      = var.project_id
  display_name = "Landfall ${var.environment}: ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [google_project_service.needed]
}

resource "google_monitoring_alert_policy" "run_failed" {
  project               = var.project_id
  display_name          = "Landfall ${var.environment}: a run failed"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "Prefect says that a flow run failed"
    condition_matched_log {
      filter = local.run_failed
    }
  }

  alert_strategy {
    auto_close = "604800s" # a week
    notification_rate_limit {
      period = "3600s" # a broken publisher can fail a hundred months in an hour
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "A flow run ended as failed. Its log in Prefect says which partitions, why, and what to do. Nothing of a failed partition is in the table; running it again is safe. What to type: docs/runbook.md#a-run-failed"
  }

  depends_on = [google_project_service.needed]
}

# A process that was killed (out of memory, timeout) writes no last line; Cloud Run counts its execution as failed.
resource "google_monitoring_alert_policy" "run_killed" {
  project               = var.project_id
  display_name          = "Landfall ${var.environment}: a run was killed"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "Cloud Run says that an execution failed"
    condition_threshold {
      filter          = "resource.type = \"cloud_run_job\" AND metric.type = \"run.googleapis.com/job/completed_execution_count\" AND metric.labels.result = \"failed\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period     = "600s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  alert_strategy {
    auto_close = "604800s"
  }

  documentation {
    mime_type = "text/markdown"
    content   = "An execution of a Cloud Run job failed: look at its log for the memory limit or the timeout. What it left undone is done by running it again. What to type: docs/runbook.md#a-run-was-killed"
  }

  depends_on = [google_project_service.needed]
}

# Flow runs that Prefect saw to their end.
resource "google_logging_metric" "runs_completed" {
  name    = "landfall_${replace(var.environment, "-", "_")}_runs_completed"
  project = var.project_id
  filter  = local.run_success

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }

  depends_on = [google_project_service.needed]
}

resource "google_monitoring_alert_policy" "run_missing" {
  count = var.missing_run_after_hours == null ? 0 : 1

  project               = var.project_id
  display_name          = "Landfall ${var.environment}: no run completed"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "No run completed for ${var.missing_run_after_hours} hours"
    # in PromQL, because it also holds where there was never a run, which an absence condition does not
    condition_prometheus_query_language {
      query                     = "absent_over_time(logging_googleapis_com:user_${google_logging_metric.runs_completed.name}{monitored_resource=\"cloud_run_job\"}[${var.missing_run_after_hours}h])"
      duration                  = "60s"
      evaluation_interval       = "600s"
      disable_metric_validation = true # the metric exists for alerts only after its first run
    }
  }

  alert_strategy {
    auto_close = "604800s"
  }

  documentation {
    mime_type = "text/markdown"
    content   = "No flow run completed in time. Is the worker up (Cloud Run, worker pools), is the schedule active, is the work pool paused, are runs late in Prefect? What to type: docs/runbook.md#no-run-completed"
  }

  depends_on = [google_project_service.needed]
}
