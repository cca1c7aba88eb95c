data "google_project" "this" {
  count = var.monthly_budget == null ? 0 : 1

  project_id = var.project_id
}

# Tells the billing account's administrators, and whoever is told of failed runs. It stops nothing.
resource "google_billing_budget" "monthly" {
  count = var.monthly_budget == null ? 0 : 1

  billing_account = var.billing_account
  display_name    = "Landfall ${var.environment}"

  budget_filter {
    projects = ["projects/${data.google_project.this[0].number}"] # by id, the API's answer would show as a change
  }

  amount {
    specified_amount {
      units = tostring(var.monthly_budget)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }

  all_updates_rule {
    monitoring_notification_channels = slice(local.channels, 0, min(5, length(local.channels))) # a budget takes five
    disable_default_iam_recipients   = false
  }

  depends_on = [google_project_service.needed]
}
