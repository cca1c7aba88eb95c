# What is planned for an environment's values, without a cloud: mock_provider answers for the provider.

mock_provider "google" {
  override_during = plan
}

override_resource {
  target          = google_service_account.run
  override_during = plan
  values          = { email = "run@example.com", member = "serviceAccount:run@example.com", name = "projects/example-dev/serviceAccounts/run@example.com" }
}

override_resource {
  target          = google_service_account.worker
  override_during = plan
  values          = { email = "worker@example.com", member = "serviceAccount:worker@example.com", name = "projects/example-dev/serviceAccounts/worker@example.com" }
}

override_resource {
  target          = google_service_account.github["plan"]
  override_during = plan
  values          = { email = "plan@example.com", member = "serviceAccount:plan@example.com", name = "projects/example-dev/serviceAccounts/plan@example.com" }
}

override_resource {
  target          = google_service_account.github["deploy"]
  override_during = plan
  values          = { email = "deploy@example.com", member = "serviceAccount:deploy@example.com", name = "projects/example-dev/serviceAccounts/deploy@example.com" }
}

override_resource {
  target          = google_iam_workload_identity_pool.github
  override_during = plan
  values          = { name = "projects/1/locations/global/workloadIdentityPools/landfall-dev-github" }
}

override_resource {
  target          = google_project_iam_custom_role.start_runs
  override_during = plan
  values          = { id = "projects/example-dev/roles/landfall_dev_start_runs" }
}

override_resource {
  target          = google_project_iam_custom_role.github["plan"]
  override_during = plan
  values          = { id = "projects/example-dev/roles/landfall_dev_plan" }
}

variables {
  # with a default alone, `terraform test` 1.11 takes it for unset in the plan and for set in the apply
  prefect_api_secret = ""

  environment       = "dev"
  project_id        = "example-dev"
  github_repository = "example/landfall"
  github_owner_id   = "42"
  operators         = ["group:data@example.org"]
  prefect_api_url   = "https://prefect.example.org/api"
  worker_image      = "docker.io/prefecthq/prefect:3.8.8-python3.11"
  alert_emails      = ["data@example.org"]
}

run "the_lake_is_private_and_labelled_and_forgets_only_what_was_superseded" {
  command = plan

  assert {
    condition     = google_storage_bucket.lake.name == "example-dev-landfall-dev-lake"
    error_message = "the lake's name is not <project>-landfall-<environment>-lake"
  }
  assert {
    condition     = google_storage_bucket.lake.labels == tomap({ application = "landfall", environment = "dev" })
    error_message = "runs refuse a bucket without the environment's label"
  }
  assert {
    condition     = google_storage_bucket.lake.uniform_bucket_level_access && google_storage_bucket.lake.public_access_prevention == "enforced"
    error_message = "the lake can be opened to the public"
  }
  assert {
    condition = [
      for rule in google_storage_bucket.lake.lifecycle_rule : [one(rule.action).type, one(rule.condition).age, one(rule.condition).matches_prefix]
    ] == [["Delete", 90, tolist(["superseded/"])]]
    error_message = "the lifecycle deletes something else than superseded files of 90 days"
  }
  assert {
    condition     = google_storage_bucket.lake.soft_delete_policy[0].retention_duration_seconds == 604800
    error_message = "soft delete does not keep a week"
  }
  assert {
    condition     = google_storage_bucket.lake.force_destroy == false && google_bigquery_dataset.warehouse.delete_contents_on_destroy == false
    error_message = "a destroy takes the data with it where nobody said so"
  }
}

run "bucket_and_dataset_are_in_one_place_and_carry_one_label" {
  command = plan

  assert {
    condition     = google_bigquery_dataset.warehouse.location == google_storage_bucket.lake.location
    error_message = "a load job needs bucket and dataset in one place"
  }
  assert {
    condition     = google_bigquery_dataset.warehouse.labels == tomap({ application = "landfall", environment = "dev" })
    error_message = "runs refuse a dataset without the environment's label"
  }
  assert {
    condition     = google_bigquery_dataset.warehouse.default_table_expiration_ms == null
    error_message = "tables expire though nobody said so"
  }
}

run "every_account_has_what_it_needs_and_nothing_of_the_project_but_jobs_and_starting_runs" {
  command = plan

  assert {
    condition = [google_project_iam_member.run_makes_jobs.role, google_project_iam_member.run_makes_jobs.member,
      google_project_iam_member.worker_starts_runs.role, google_project_iam_member.worker_starts_runs.member] == [
    "roles/bigquery.jobUser", "serviceAccount:run@example.com", "projects/example-dev/roles/landfall_dev_start_runs", "serviceAccount:worker@example.com"]
    error_message = "the project's two bindings are others"
  }
  assert {
    condition = google_project_iam_custom_role.start_runs.permissions == toset([
      "run.executions.delete", "run.executions.get", "run.executions.list",
      "run.jobs.create", "run.jobs.delete", "run.jobs.get", "run.jobs.list", "run.jobs.run",
    ])
    error_message = "the worker may do something else than start, watch, list and remove runs"
  }
  assert {
    condition = { for key, binding in google_secret_manager_secret_iam_member.reads_prefect_api : key => [binding.role, binding.member] } == {
      deploy = ["roles/secretmanager.secretAccessor", "serviceAccount:deploy@example.com"]
      run    = ["roles/secretmanager.secretAccessor", "serviceAccount:run@example.com"]
      worker = ["roles/secretmanager.secretAccessor", "serviceAccount:worker@example.com"]
    }
    error_message = "others read the secret, or more than its value"
  }
  assert {
    condition = [for binding in [google_storage_bucket_iam_member.run_uses_objects, google_storage_bucket_iam_member.run_reads_bucket] : [binding.bucket, binding.role, binding.member]] == [
      ["example-dev-landfall-dev-lake", "roles/storage.objectUser", "serviceAccount:run@example.com"],
      ["example-dev-landfall-dev-lake", "roles/storage.legacyBucketReader", "serviceAccount:run@example.com"],
    ]
    error_message = "the lake's bindings are others"
  }
  assert {
    condition = [for binding in [google_service_account_iam_member.operator_is_run["group:data@example.org"], google_service_account_iam_member.worker_starts_as_run, google_service_account_iam_member.worker_starts_as_itself] : [binding.service_account_id, binding.role, binding.member]] == [
      ["projects/example-dev/serviceAccounts/run@example.com", "roles/iam.serviceAccountTokenCreator", "group:data@example.org"],
      ["projects/example-dev/serviceAccounts/run@example.com", "roles/iam.serviceAccountUser", "serviceAccount:worker@example.com"],
      ["projects/example-dev/serviceAccounts/worker@example.com", "roles/iam.serviceAccountUser", "serviceAccount:worker@example.com"],
    ]
    error_message = "others may act as the run's account"
  }
}

run "only_the_named_repositorys_pull_requests_plan_and_only_its_branch_deploys" {
  command = plan

  assert {
    condition = { for task, provider in google_iam_workload_identity_pool_provider.github : task => provider.attribute_condition } == {
      plan   = "assertion.repository == 'example/landfall' && assertion.repository_owner_id == '42' && assertion.event_name == 'pull_request'"
      deploy = "assertion.repository == 'example/landfall' && assertion.repository_owner_id == '42' && assertion.ref == 'refs/heads/main' && assertion.event_name in ['push', 'workflow_dispatch']"
    }
    error_message = "a condition lets other tokens in"
  }
  assert {
    condition = alltrue([
      for provider in google_iam_workload_identity_pool_provider.github :
      provider.attribute_mapping["attribute.task"] == "assertion.event_name == 'pull_request' ? 'plan' : 'deploy'"
    ])
    error_message = "one provider's tokens could pass for the other's: an attribute is the pool's"
  }
  assert {
    condition = { for task, binding in google_service_account_iam_member.github_is : task => [binding.service_account_id, binding.role, binding.member] } == {
      for task in ["plan", "deploy"] : task => [
        "projects/example-dev/serviceAccounts/${task}@example.com",
        "roles/iam.workloadIdentityUser",
        "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/landfall-dev-github/attribute.task/${task}",
      ]
    }
    error_message = "others become the planner or the deployer"
  }
}

run "without_more_people_apply_and_github_reads_and_brings_images" {
  command = plan

  assert {
    condition = { for name, binding in google_project_iam_member.github : name => [binding.role, binding.member] } == {
      plan-plan   = ["projects/example-dev/roles/landfall_dev_plan", "serviceAccount:plan@example.com"]
      deploy-plan = ["projects/example-dev/roles/landfall_dev_plan", "serviceAccount:deploy@example.com"]
    }
    error_message = "GitHub's accounts have other roles of the project"
  }
  assert {
    condition     = alltrue([for permission in google_project_iam_custom_role.github["plan"].permissions : can(regex("[.](get|list|use|getIamPolicy)$", permission))])
    error_message = "the planner may do something else than read"
  }
  assert {
    condition     = length([for permission in google_project_iam_custom_role.github["plan"].permissions : permission if can(regex("objects|tables|rows|versions.access", permission))]) == 0
    error_message = "the planner reads data or secrets"
  }
  assert {
    condition     = [google_artifact_registry_repository_iam_member.deploy_pushes[0].role, google_artifact_registry_repository_iam_member.deploy_pushes[0].member] == ["roles/artifactregistry.writer", "serviceAccount:deploy@example.com"]
    error_message = "the deployer cannot push, or something else can"
  }
  assert {
    condition     = length(google_service_account_iam_member.deploy_is_worker) == 0 && length(google_storage_bucket_iam_member.github_state) == 0
    error_message = "GitHub applies though nobody said so"
  }
}

run "where_github_applies_it_changes_neither_rights_nor_what_holds_data" {
  command = plan

  variables {
    github_applies = true
    state_bucket   = "example-dev-tfstate"
  }
  override_resource {
    target          = google_project_iam_custom_role.github["apply"]
    override_during = plan
    values          = { id = "projects/example-dev/roles/landfall_dev_apply" }
  }
  assert {
    condition     = [google_project_iam_member.github["deploy-apply"].role, google_project_iam_member.github["deploy-apply"].member] == ["projects/example-dev/roles/landfall_dev_apply", "serviceAccount:deploy@example.com"]
    error_message = "the deployer may not apply"
  }
  assert {
    condition     = !contains(keys(google_project_iam_member.github), "plan-apply")
    error_message = "a pull request may apply"
  }
  assert {
    condition     = length([for permission in google_project_iam_custom_role.github["apply"].permissions : permission if can(regex("setIamPolicy|^iam[.]|^resourcemanager[.]|actAs|access$", permission))]) == 0
    error_message = "main may change who may do what"
  }
  assert {
    condition     = length([for permission in google_project_iam_custom_role.github["apply"].permissions : permission if can(regex("^(storage|bigquery|secretmanager)[.].*[.](create|delete|destroy)$|objects|tables", permission))]) == 0
    error_message = "main may make or remove what holds data"
  }
  assert {
    condition = { for task, binding in google_storage_bucket_iam_member.github_state : task => [binding.bucket, binding.role, binding.member] } == {
      plan   = ["example-dev-tfstate", "roles/storage.objectViewer", "serviceAccount:plan@example.com"]
      deploy = ["example-dev-tfstate", "roles/storage.objectUser", "serviceAccount:deploy@example.com"]
    }
    error_message = "a pull request writes the state, or main does not"
  }
  assert {
    condition     = [google_service_account_iam_member.deploy_is_worker[0].service_account_id, google_service_account_iam_member.deploy_is_worker[0].role] == ["projects/example-dev/serviceAccounts/worker@example.com", "roles/iam.serviceAccountUser"]
    error_message = "the deployer may act as somebody else than the worker"
  }
}

run "github_reads_these_variables" {
  command = plan

  assert {
    condition = { for name, value in output.github : name => value if !strcontains(name, "PROVIDER") } == {
      LANDFALL_PLAN_ACCOUNT    = "plan@example.com"
      LANDFALL_DEPLOY_ACCOUNT  = "deploy@example.com"
      LANDFALL_APPLIES         = "false"
      LANDFALL_IMAGES          = output.artifact_registry
      LANDFALL_PREFECT_API_URL = "https://prefect.example.org/api"
      LANDFALL_PREFECT_AUTH    = "api_key"
    }
    error_message = "the workflows' variables are others"
  }
}

run "the_worker_asks_its_pool_for_runs_and_takes_the_key_from_the_secret" {
  command = plan

  assert {
    condition = [google_cloud_run_v2_worker_pool.worker[0].template[0].service_account, google_cloud_run_v2_worker_pool.worker[0].template[0].containers[0].args] == [
    "worker@example.com", tolist(["worker", "start", "--pool", "landfall-dev", "--type", "cloud-run-v2"])]
    error_message = "the worker is another account's, or serves another pool"
  }
  assert {
    condition = { for env in google_cloud_run_v2_worker_pool.worker[0].template[0].containers[0].env : env.name => join("", compact([env.value]), env.value_source[*].secret_key_ref[0].secret) } == {
      PREFECT_API_KEY       = "landfall-dev-prefect-api"
      PREFECT_API_URL       = "https://prefect.example.org/api"
      PREFECT_LOGGING_LEVEL = "INFO"
    }
    error_message = "the worker's environment is another"
  }
}

run "a_server_of_ones_own_takes_an_auth_string" {
  command = plan

  variables {
    prefect_auth = "auth_string"
  }
  assert {
    condition     = contains([for env in google_cloud_run_v2_worker_pool.worker[0].template[0].containers[0].env : env.name], "PREFECT_API_AUTH_STRING")
    error_message = "the auth string does not reach the worker"
  }
}

run "the_secrets_value_is_in_no_state" {
  command = plan

  variables {
    prefect_api_secret         = "pnu_never-kept"
    prefect_api_secret_version = 3
  }
  assert {
    condition     = google_secret_manager_secret_version.prefect_api[0].secret_data_wo_version == 3 && google_secret_manager_secret_version.prefect_api[0].secret_data == null
    error_message = "the secret's version is not told, or its value is kept"
  }
}

run "a_missing_run_is_told_only_where_runs_are_expected" {
  command = plan

  variables {
    missing_run_after_hours = 25
  }
  assert {
    condition     = length(google_monitoring_alert_policy.run_missing) == 1 && strcontains(google_monitoring_alert_policy.run_missing[0].conditions[0].condition_prometheus_query_language[0].query, "[25h]")
    error_message = "no alert on runs that did not come in 25 hours"
  }
}

run "without_repository_worker_schedule_or_budget_there_is_none_of_them" {
  command = plan

  variables {
    github_repository = null
    github_owner_id   = null
    prefect_api_url   = null
    worker_image      = null
  }
  assert {
    condition = [
      length(google_iam_workload_identity_pool.github), length(google_iam_workload_identity_pool_provider.github),
      length(google_service_account.github), length(google_project_iam_custom_role.github), length(google_project_iam_member.github),
      length(google_artifact_registry_repository_iam_member.deploy_pushes),
      length(google_cloud_run_v2_worker_pool.worker), length(google_secret_manager_secret_version.prefect_api),
      length(google_monitoring_alert_policy.run_missing), length(google_billing_budget.monthly),
    ] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    error_message = "something is made that nobody asked for"
  }
  assert {
    condition     = length(output.github) == 0
    error_message = "variables are given out for a repository that does not exist"
  }
}

run "a_budget_warns_and_brings_its_service" {
  command = plan

  variables {
    monthly_budget  = 50
    billing_account = "01AB23-CD45EF-678901"
  }
  assert {
    condition     = google_billing_budget.monthly[0].amount[0].specified_amount[0].units == "50" && [for rule in google_billing_budget.monthly[0].threshold_rules : rule.threshold_percent] == [0.5, 0.9, 1]
    error_message = "the budget is another"
  }
  assert {
    condition     = contains(keys(google_project_service.needed), "billingbudgets.googleapis.com")
    error_message = "the Budget API is not switched on"
  }
}

run "a_hyphen_becomes_an_underscore_where_bigquery_wants_one" {
  command = plan

  variables {
    environment = "pre-prod"
  }
  assert {
    condition     = output.warehouse_dataset == "landfall_pre_prod" && output.work_pool == "landfall-pre-prod" && google_logging_metric.runs_completed.name == "landfall_pre_prod_runs_completed"
    error_message = "the names of pre-prod are others"
  }
}
