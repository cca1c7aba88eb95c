# GitHub's workflows, without a key: pull requests plan, main deploys. Two accounts, each by a provider with a condition of
# its own (.github/workflows/check.yml and deploy.yml; docs/google-cloud.md, "CI without a key").
locals {
  github = var.github_repository == null ? toset([]) : toset(["plan", "deploy"])

  # Anyone who can push a branch decides what a pull request's workflow does; so its account reads, and reads no data. A pull
  # request from a fork gets no token from GitHub. `pull_request_target` and the like also name main as their ref, hence the events.
  github_ours = "assertion.repository == '${coalesce(var.github_repository, "none")}' && assertion.repository_owner_id == '${coalesce(var.github_owner_id, "none")}'"
  github_conditions = {
    plan   = "${local.github_ours} && assertion.event_name == 'pull_request'"
    deploy = "${local.github_ours} && assertion.ref == '${var.github_ref}' && assertion.event_name in ['push', 'workflow_dispatch']"
  }

  # What a plan asks about each resource here. Not roles/viewer: it reads the lake's objects and the warehouse's rows.
  plan_permissions = [
    "artifactregistry.repositories.get",
    "artifactregistry.repositories.getIamPolicy",
    "bigquery.datasets.get",
    "bigquery.datasets.getIamPolicy",
    "iam.roles.get",
    "iam.serviceAccounts.get",
    "iam.serviceAccounts.getIamPolicy",
    "iam.workloadIdentityPoolProviders.get",
    "iam.workloadIdentityPools.get",
    "logging.logMetrics.get",
    "monitoring.alertPolicies.get",
    "monitoring.notificationChannels.get",
    "resourcemanager.projects.get",
    "resourcemanager.projects.getIamPolicy",
    "run.workerpools.get",
    "secretmanager.secrets.get",
    "secretmanager.secrets.getIamPolicy",
    "secretmanager.versions.get",
    "serviceusage.services.get",
    "serviceusage.services.list",
    "serviceusage.services.use",
    "storage.buckets.get",
    "storage.buckets.getIamPolicy",
  ]

  # What main may change. Not who may do what (no account, role or binding), nor make or remove what holds data: such a
  # change is refused with 403, and a person applies it. With those permissions main would be the project's owner.
  apply_permissions = [
    "artifactregistry.repositories.update",
    "bigquery.datasets.update",
    "logging.logMetrics.create",
    "logging.logMetrics.delete",
    "logging.logMetrics.update",
    "monitoring.alertPolicies.create",
    "monitoring.alertPolicies.delete",
    "monitoring.alertPolicies.update",
    "monitoring.notificationChannels.create",
    "monitoring.notificationChannels.delete",
    "monitoring.notificationChannels.update",
    "run.operations.get",
    "run.workerpools.create",
    "run.workerpools.delete",
    "run.workerpools.update",
    "secretmanager.secrets.update",
    "serviceusage.operations.get",
    "serviceusage.services.enable",
    "storage.buckets.update",
  ]
  github_roles = {
    for task, role in {
      plan  = { permissions = local.plan_permissions, tasks = ["plan", "deploy"], wanted = true }
      apply = { permissions = local.apply_permissions, tasks = ["deploy"], wanted = var.github_applies }
    } : task => role if role.wanted && var.github_repository != null
  }
  github_bindings = merge([
    for name, role in local.github_roles : { for task in role.tasks : "${task}-${name}" => { role = name, task = task } }
  ]...)
}

resource "google_service_account" "github" {
  for_each = local.github

  account_id   = "landfall-${var.environment}-${each.key}"
  project      = var.project_id
  display_name = "Landfall ${var.environment}: GitHub's workflows that ${each.key}"

  depends_on = [google_project_service.needed]
}

resource "google_iam_workload_identity_pool" "github" {
  count = var.github_repository == null ? 0 : 1

  workload_identity_pool_id = "landfall-${var.environment}-github"
  project                   = var.project_id
  display_name              = "Landfall ${var.environment}: GitHub"

  depends_on = [google_project_service.needed]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  #checkov:skip=CKV_GCP_125:it looks for a condition on `sub` alone; repository, owner's number, ref and event are claims of their own, and say more
  for_each = local.github

  workload_identity_pool_id          = google_iam_workload_identity_pool.github[0].workload_identity_pool_id
  workload_identity_pool_provider_id = each.key
  project                            = var.project_id
  display_name                       = "GitHub Actions: ${each.key}"

  # An attribute is the pool's, not a provider's: both say the same of a token, and the conditions let each token in at one.
  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
    "attribute.task"       = "assertion.event_name == 'pull_request' ? 'plan' : 'deploy'"
  }
  attribute_condition = local.github_conditions[each.key]

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account_iam_member" "github_is" {
  for_each = local.github

  service_account_id = google_service_account.github[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github[0].name}/attribute.task/${each.key}"
}

resource "google_project_iam_custom_role" "github" {
  for_each = local.github_roles

  role_id     = "landfall_${replace(var.environment, "-", "_")}_${each.key}"
  project     = var.project_id
  title       = "Landfall ${var.environment}: ${each.key}"
  permissions = each.value.permissions

  depends_on = [google_project_service.needed]
}

resource "google_project_iam_member" "github" {
  for_each = local.github_bindings

  project = var.project_id
  role    = google_project_iam_custom_role.github[each.value.role].id
  member  = google_service_account.github[each.value.task].member
}

# A worker pool is made as its account.
resource "google_service_account_iam_member" "deploy_is_worker" {
  count = contains(keys(local.github_roles), "apply") ? 1 : 0

  service_account_id = google_service_account.worker.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.github["deploy"].member
}

# The state: it holds names and bindings and no secret's value. Who applies also writes it, and its lock.
resource "google_storage_bucket_iam_member" "github_state" {
  for_each = var.state_bucket == null ? toset([]) : local.github

  bucket = var.state_bucket
  role   = each.key == "deploy" && var.github_applies ? "roles/storage.objectUser" : "roles/storage.objectViewer"
  member = google_service_account.github[each.key].member
}
