# Values that do not hold are refused, each by the validation of its own variable: `expect_failures` is met only if all do.

mock_provider "google" {}

variables {
  environment = "dev"
  project_id  = "example-dev"
}

run "names_and_places_in_another_form" {
  command = plan
  variables {
    environment = "Dev"
    project_id  = "123456789"
    region      = "us-central1-a"
    location    = "us"
    lake_bucket = "gs://lake"
  }
  expect_failures = [
    var.environment,
    var.project_id,
    var.region,
    var.location,
    var.lake_bucket,
  ]
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

run "times_to_keep_that_are_no_time" {
  command = plan
  variables {
    protect                   = false
    superseded_retention_days = 0
    soft_delete_days          = 3
    table_expiration_days     = 0
  }
  expect_failures = [var.superseded_retention_days, var.soft_delete_days, var.table_expiration_days]
}

run "half_a_day_and_an_expiration_where_tables_are_protected" {
  command = plan
  variables {
    protect                   = true
    superseded_retention_days = 1.5
    table_expiration_days     = 30
  }
  expect_failures = [var.superseded_retention_days, var.table_expiration_days]
}

run "people_and_repositories_in_another_form" {
  command = plan
  variables {
    operators         = ["ada@example.org"]
    github_repository = "https://github.com/example/landfall"
    github_ref        = "main"
    alert_emails      = ["data"]
  }
  expect_failures = [
    var.operators,
    var.github_repository,
    var.github_ref,
    var.alert_emails,
  ]
}

run "a_repository_without_its_owners_number" {
  command = plan
  variables {
    github_repository = "example/landfall"
    github_owner_id   = null
  }
  expect_failures = [var.github_owner_id]
}

run "an_apply_by_nobody_and_a_state_bucket_in_another_form" {
  command = plan
  variables {
    github_applies = true
    state_bucket   = "gs://example-dev-tfstate"
  }
  expect_failures = [var.github_applies, var.state_bucket]
}

run "an_api_a_key_and_a_pool_that_no_worker_can_use" {
  command = plan
  variables {
    prefect_api_url            = "https://prefect.example.org"
    prefect_auth               = "password"
    prefect_api_secret         = "pnu_1\n"
    prefect_api_secret_version = -1
    work_pool_concurrency      = 0
  }
  expect_failures = [
    var.prefect_api_url,
    var.prefect_auth,
    var.prefect_api_secret,
    var.prefect_api_secret_version,
    var.work_pool_concurrency,
  ]
}

run "a_log_level_that_hides_how_runs_end_and_a_wait_that_alerts_cannot_look_back" {
  command = plan
  variables {
    log_level               = "WARNING"
    missing_run_after_hours = 48
  }
  expect_failures = [var.log_level, var.missing_run_after_hours]
}

run "an_owners_name_for_a_number_and_a_budgets_account_in_another_form" {
  command = plan
  variables {
    github_repository = "example/landfall"
    github_owner_id   = "example"
    billing_account   = "billingAccounts/1"
  }
  expect_failures = [var.github_owner_id, var.billing_account]
}

run "an_image_without_a_tag_and_a_budget_of_nothing" {
  command = plan
  variables {
    prefect_api_url = "https://prefect.example.org/api"
    worker_image    = "prefecthq/prefect"
    billing_account = "01AB23-CD45EF-678901"
    monthly_budget  = 0
  }
  expect_failures = [var.worker_image, var.monthly_budget]
}

run "a_worker_without_an_api_and_a_budget_without_an_account" {
  command = plan
  variables {
    worker_image   = "prefecthq/prefect:3"
    monthly_budget = 50
  }
  expect_failures = [var.worker_image, var.monthly_budget]
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
