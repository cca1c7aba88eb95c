# Another environment's values on this state are refused at plan.

mock_provider "google" {}

variables {
  # with a default alone, `terraform test` 1.11 takes it for unset in the plan and for set in the apply
  prefect_api_secret = ""
}

run "the_first_apply_decides_what_the_state_is_of" {
  variables {
    environment = "dev"
    project_id  = "example-dev"
  }
  assert {
    condition     = terraform_data.environment.output == { environment = "dev", project_id = "example-dev" }
    error_message = "the state remembers something else"
  }
}

run "another_environment_is_refused_at_plan" {
  command = plan
  variables {
    environment = "prod"
    project_id  = "example-dev"
  }
  expect_failures = [var.protect]
}

run "another_project_is_refused_at_plan" {
  command = plan
  variables {
    environment = "dev"
    project_id  = "example-prod"
  }
  expect_failures = [var.protect]
}

run "its_own_values_still_hold" {
  command = plan
  variables {
    environment               = "dev"
    project_id                = "example-dev"
    superseded_retention_days = 7
  }
  assert {
    condition     = one(google_storage_bucket.lake.lifecycle_rule[0].condition).age == 7
    error_message = "a change of its own is not planned"
  }
}
