variable "environment" {
  description = "The environment's name: a label on bucket and dataset, and a part of every name here."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,12}[a-z0-9])?$", var.environment))
    error_message = "environment: found \"${var.environment}\", expected 1 to 14 lower-case letters, digits and hyphens, the first a letter, the last no hyphen (a service account's name has room for no more)."
  }
}

variable "project_id" {
  description = "The Google Cloud project. One for each environment: IAM is what keeps environments apart."
  type        = string
  nullable    = false

  validation {
    condition     = var.project_id == "local" || can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id: found \"${var.project_id}\", expected a project's id (6 to 30 lower-case letters, digits and hyphens), not its name or number."
  }
}

variable "region" {
  description = "Where the worker, the runs and the images are. For no traffic between regions: within `location`."
  type        = string
  default     = "us-central1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region: found \"${var.region}\", expected a region such as us-central1 or europe-west1."
  }
}

variable "location" {
  description = "Where bucket and dataset are: US, EU or one region. A load job needs both in one place, so there is one value."
  type        = string
  default     = "US"
  nullable    = false

  validation {
    condition     = can(regex("^(US|EU|[A-Z]+-[A-Z]+[0-9]+)$", var.location))
    error_message = "location: found \"${var.location}\", expected US, EU or a region in capitals such as EUROPE-WEST1 (so Cloud Storage says them back; other letters would show as a change for ever)."
  }
}

variable "protect" {
  description = "Whether bucket, dataset and worker refuse to be destroyed while they hold something."
  type        = bool
  default     = true
  nullable    = false

  # the guard of guard.tf, at the one variable that says what may be destroyed; a condition must name its variable
  validation {
    condition     = var.protect != null && local.same_environment
    error_message = local.other_environment
  }
}

variable "lake_bucket" {
  description = "The lake's name, if not <project>-landfall-<environment>-lake. Bucket names are shared by the whole world."
  type        = string
  default     = null

  validation {
    condition     = var.lake_bucket == null || can(regex("^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$", var.lake_bucket))
    error_message = "lake_bucket: found \"${coalesce(var.lake_bucket, "nothing")}\", expected 3 to 63 lower-case letters, digits, hyphens and underscores."
  }
}

variable "superseded_retention_days" {
  description = "How long files that newer ones replaced are kept. No landing can go back to an earlier state than this."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.superseded_retention_days >= 1 && floor(var.superseded_retention_days) == var.superseded_retention_days
    error_message = "superseded_retention_days: found ${var.superseded_retention_days}, expected a whole number of days, 1 or more."
  }
}

variable "soft_delete_days" {
  description = "How long a deleted object can be brought back: 0 for never, else 7 to 90. What is kept so is paid for."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = contains(concat([0], range(7, 91)), var.soft_delete_days)
    error_message = "soft_delete_days: found ${var.soft_delete_days}, expected 0 or a whole number from 7 to 90, as Cloud Storage takes it."
  }
}

variable "table_expiration_days" {
  description = "After how many days a new table is dropped, the ledger included; null for never. It does not touch the lake."
  type        = number
  default     = null

  validation {
    condition     = var.table_expiration_days == null ? true : var.table_expiration_days >= 1 && floor(var.table_expiration_days) == var.table_expiration_days
    error_message = "table_expiration_days: expected null or a whole number of days, 1 or more."
  }

  validation {
    condition     = !(var.protect && var.table_expiration_days != null)
    error_message = "table_expiration_days: found one in an environment with protect = true, expected null there; tables that expire are not protected."
  }
}

variable "operators" {
  description = "Who may run flows by hand as the run's service account: `user:`, `group:` or `serviceAccount:` and an address."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for member in var.operators : can(regex("^(user|group|serviceAccount):[^@ ]+@[^@ ]+$", member))])
    error_message = "operators: found ${join(", ", var.operators)}, expected members such as user:ada@example.org or group:data@example.org."
  }
}

variable "github_repository" {
  description = "The one GitHub repository, owner/name, whose pull requests may plan and whose main may deploy; null for no federation."
  type        = string
  default     = null

  validation {
    condition     = var.github_repository == null || can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$", var.github_repository))
    error_message = "github_repository: found \"${coalesce(var.github_repository, "nothing")}\", expected owner/name, without https://github.com/."
  }
}

variable "github_owner_id" {
  description = "The number of the repository's owner (gh api users/<owner> --jq .id). A name can change hands, its number cannot."
  type        = string
  default     = null

  validation {
    condition     = var.github_owner_id == null || can(regex("^[0-9]+$", var.github_owner_id))
    error_message = "github_owner_id: found \"${coalesce(var.github_owner_id, "nothing")}\", expected a number in quotes."
  }

  validation {
    condition     = (var.github_repository == null) == (var.github_owner_id == null)
    error_message = "github_owner_id: expected together with github_repository, or neither."
  }
}

variable "github_ref" {
  description = "The one branch or tag whose workflows may deploy."
  type        = string
  default     = "refs/heads/main"
  nullable    = false

  validation {
    condition     = can(regex("^refs/(heads|tags)/[A-Za-z0-9._/-]+$", var.github_ref))
    error_message = "github_ref: found \"${var.github_ref}\", expected refs/heads/<branch> or refs/tags/<tag>."
  }
}

variable "github_applies" {
  description = "Whether deploying includes the apply of what holds no data and gives no rights; else people apply everything."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.github_applies || var.github_repository != null
    error_message = "github_applies: found true without github_repository, expected both."
  }
}

variable "state_bucket" {
  description = "The bucket with this state, as in the backend file, so that GitHub's two accounts may use it; null: given by hand."
  type        = string
  default     = null

  validation {
    condition     = var.state_bucket == null || can(regex("^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "state_bucket: found \"${coalesce(var.state_bucket, "nothing")}\", expected 3 to 63 lower-case letters, digits, hyphens and underscores."
  }
}

variable "prefect_api_url" {
  description = "Prefect's API as the worker and the runs reach it, Prefect Cloud's or a server's; null for no worker yet."
  type        = string
  default     = null

  validation {
    condition     = var.prefect_api_url == null || can(regex("^https?://[^ ]+/api(/accounts/[0-9a-f-]+/workspaces/[0-9a-f-]+)?$", var.prefect_api_url))
    error_message = "prefect_api_url: found \"${coalesce(var.prefect_api_url, "nothing")}\", expected an address that ends in /api, or for Prefect Cloud in /api/accounts/<id>/workspaces/<id>."
  }
}

variable "prefect_auth" {
  description = "What the secret holds: api_key for Prefect Cloud, auth_string (user:password) for a server of one's own."
  type        = string
  default     = "api_key"
  nullable    = false

  validation {
    condition     = contains(["api_key", "auth_string"], var.prefect_auth)
    error_message = "prefect_auth: found \"${var.prefect_auth}\", expected api_key or auth_string."
  }
}

variable "prefect_api_secret" {
  description = "The API key or auth string itself, from TF_VAR_prefect_api_secret. Given when its version is raised; never kept."
  type        = string
  default     = ""
  nullable    = false
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = var.prefect_api_secret == trimspace(var.prefect_api_secret)
    error_message = "prefect_api_secret: found white space at an end, expected none; a line break came with it?"
  }
}

variable "prefect_api_secret_version" {
  description = "0: the value is put into the secret by hand. Else Terraform puts it there, and again each time this is raised."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.prefect_api_secret_version >= 0 && floor(var.prefect_api_secret_version) == var.prefect_api_secret_version
    error_message = "prefect_api_secret_version: found ${var.prefect_api_secret_version}, expected 0, 1, 2, ..."
  }
}

variable "worker_image" {
  description = "The image that the worker runs, with prefect and prefect-gcp in it; null for no worker yet."
  type        = string
  default     = null

  validation {
    condition     = var.worker_image == null || can(regex("^[a-z0-9./_-]+(:[0-9]+/[a-z0-9./_-]+)?(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})$", var.worker_image))
    error_message = "worker_image: found \"${coalesce(var.worker_image, "nothing")}\", expected an image with a tag or a digest."
  }

  validation {
    condition     = var.worker_image == null || var.prefect_api_url != null
    error_message = "worker_image: found one without prefect_api_url, expected both; a worker asks Prefect for work."
  }
}

variable "work_pool_concurrency" {
  description = "How many runs may be at work at once, each a Cloud Run job."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.work_pool_concurrency >= 1 && floor(var.work_pool_concurrency) == var.work_pool_concurrency
    error_message = "work_pool_concurrency: found ${var.work_pool_concurrency}, expected a whole number, 1 or more."
  }
}

variable "database_url" {
  description = "A database beside the warehouse, as SQLAlchemy names it, for its block; null for none. The password is not here."
  type        = string
  default     = null

  validation {
    condition     = var.database_url == null || can(regex("^[a-z0-9_]+([+][a-z0-9_]+)?://([^:/@]+@)?[^@]*$", var.database_url))
    error_message = "database_url: found no address, or one with a password in it, expected one such as postgresql+psycopg://user@host:5432/name; `make blocks` takes the password from LANDFALL_DATABASE_PASSWORD."
  }
}

variable "log_level" {
  description = "What the worker and the runs log. Not above INFO: the alerts read from the log how runs end."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO"], var.log_level)
    error_message = "log_level: found \"${var.log_level}\", expected DEBUG or INFO; Prefect writes at INFO how a run ended, and the alerts read that line."
  }
}

variable "alert_emails" {
  description = "Who is told of failed and missing runs. Without any, incidents are only in the console."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for email in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", email))])
    error_message = "alert_emails: found ${join(", ", var.alert_emails)}, expected addresses such as data@example.org."
  }
}

variable "missing_run_after_hours" {
  description = "Say so when no run has completed for so long: the schedule's period and some slack; null where nothing is scheduled."
  type        = number
  default     = null

  validation {
    condition     = var.missing_run_after_hours == null ? true : contains(range(1, 26), var.missing_run_after_hours)
    error_message = "missing_run_after_hours: expected null or a whole number from 1 to 25: alerts look back no further, so schedule one run a day at least (a month that is up to date costs one request)."
  }
}

variable "monthly_budget" {
  description = "Warn at half, nine tenths and all of this sum a month, in the billing account's currency; null for no budget. It stops nothing."
  type        = number
  default     = null

  validation {
    condition     = var.monthly_budget == null ? true : var.monthly_budget >= 1 && floor(var.monthly_budget) == var.monthly_budget
    error_message = "monthly_budget: expected null or a whole sum, 1 or more."
  }

  validation {
    condition     = var.monthly_budget == null || var.billing_account != null
    error_message = "monthly_budget: found one without billing_account, expected both."
  }
}

variable "billing_account" {
  description = "The billing account that the budget belongs to; whoever applies needs roles/billing.costsManager on it."
  type        = string
  default     = null

  validation {
    condition     = var.billing_account == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "billing_account: found \"${coalesce(var.billing_account, "nothing")}\", expected one such as 01AB23-CD45EF-678901 (gcloud billing accounts list)."
  }
}
