# Values that do not hold are refused, each by the validation of its own variable.

mock_provider "google" {}

variables {
  environment = "dev"
  project_id  = "example-dev"
}

run "an_environment_in_capitals" {
  command = plan
  variables {
    environment = "Dev"
  }
  expect_failures = [var.environment]
}

run "an_environment_that_leaves_no_room_for_a_service_account" {
  command = plan
  variables {
    environment = "a-long-long-name"
  }
  expect_failures = [var.environment]
}

run "an_environment_that_ends_with_a_hyphen" {
  command = plan
  variables {
    environment = "dev-"
  }
  expect_failures = [var.environment]
}

run "a_projects_number" {
  command = plan
  variables {
    project_id = "123456789"
  }
  expect_failures = [var.project_id]
}

run "a_zone_for_a_region" {
  command = plan
  variables {
    region = "us-central1-a"
  }
  expect_failures = [var.region]
}

run "a_location_in_small_letters" {
  command = plan
  variables {
    location = "us"
  }
  expect_failures = [var.location]
}

run "a_bucket_as_an_address" {
  command = plan
  variables {
    lake_bucket = "gs://lake"
  }
  expect_failures = [var.lake_bucket]
}

run "a_retention_of_nothing" {
  command = plan
  variables {
    superseded_retention_days = 0
  }
  expect_failures = [var.superseded_retention_days]
}

run "a_retention_of_half_a_day" {
  command = plan
  variables {
    superseded_retention_days = 1.5
  }
  expect_failures = [var.superseded_retention_days]
}

run "a_soft_delete_that_storage_does_not_take" {
  command = plan
  variables {
    soft_delete_days = 3
  }
  expect_failures = [var.soft_delete_days]
}

run "an_expiration_of_nothing" {
  command = plan
  variables {
    table_expiration_days = 0
    protect               = false
  }
  expect_failures = [var.table_expiration_days]
}

run "an_expiration_where_tables_are_protected" {
  command = plan
  variables {
    table_expiration_days = 30
    protect               = true
  }
  expect_failures = [var.table_expiration_days]
}

run "an_operator_without_a_kind" {
  command = plan
  variables {
    operators = ["ada@example.org"]
  }
  expect_failures = [var.operators]
}

run "a_repository_as_an_address" {
  command = plan
  variables {
    github_repository = "https://github.com/example/landfall"
    github_owner_id   = "1"
  }
  expect_failures = [var.github_repository]
}

run "an_owners_name_for_a_number" {
  command = plan
  variables {
    github_owner_id   = "example"
    github_repository = "example/landfall"
  }
  expect_failures = [var.github_owner_id]
}

run "a_repository_without_its_owners_number" {
  command = plan
  variables {
    github_owner_id   = null
    github_repository = "example/landfall"
  }
  expect_failures = [var.github_owner_id]
}

run "a_branch_without_refs" {
  command = plan
  variables {
    github_ref = "main"
  }
  expect_failures = [var.github_ref]
}

run "an_address_that_is_not_the_api" {
  command = plan
  variables {
    prefect_api_url = "https://prefect.example.org"
  }
  expect_failures = [var.prefect_api_url]
}

run "an_unknown_auth" {
  command = plan
  variables {
    prefect_auth = "password"
  }
  expect_failures = [var.prefect_auth]
}

run "a_secret_with_a_line_break" {
  command = plan
  variables {
    prefect_api_secret = "pnu_1\n"
  }
  expect_failures = [var.prefect_api_secret]
}

run "a_secret_version_below_zero" {
  command = plan
  variables {
    prefect_api_secret_version = -1
  }
  expect_failures = [var.prefect_api_secret_version]
}

run "an_image_without_a_tag" {
  command = plan
  variables {
    worker_image    = "prefecthq/prefect"
    prefect_api_url = "https://prefect.example.org/api"
  }
  expect_failures = [var.worker_image]
}

run "a_worker_without_an_api" {
  command = plan
  variables {
    worker_image = "prefecthq/prefect:3"
  }
  expect_failures = [var.worker_image]
}

run "a_pool_that_lets_nothing_through" {
  command = plan
  variables {
    work_pool_concurrency = 0
  }
  expect_failures = [var.work_pool_concurrency]
}

run "a_log_level_that_hides_how_runs_end" {
  command = plan
  variables {
    log_level = "WARNING"
  }
  expect_failures = [var.log_level]
}

run "an_alert_to_no_address" {
  command = plan
  variables {
    alert_emails = ["data"]
  }
  expect_failures = [var.alert_emails]
}

run "a_wait_that_alerts_cannot_look_back" {
  command = plan
  variables {
    missing_run_after_hours = 48
  }
  expect_failures = [var.missing_run_after_hours]
}

run "a_budget_of_nothing" {
  command = plan
  variables {
    monthly_budget  = 0
    billing_account = "01AB23-CD45EF-678901"
  }
  expect_failures = [var.monthly_budget]
}

run "a_budget_without_an_account" {
  command = plan
  variables {
    monthly_budget = 50
  }
  expect_failures = [var.monthly_budget]
}

run "an_account_in_another_form" {
  command = plan
  variables {
    billing_account = "billingAccounts/1"
  }
  expect_failures = [var.billing_account]
}

run "a_databases_password" {
  command = plan
  variables {
    database_url = "postgresql+psycopg2://etl:hunter2@db.example.org:5432/trips"
  }
  expect_failures = [var.database_url]
}

run "a_database_without_a_scheme" {
  command = plan
  variables {
    database_url = "db.example.org:5432/trips"
  }
  expect_failures = [var.database_url]
}
