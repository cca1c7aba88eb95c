terraform {
  required_version = ">= 1.11" # the first with write-only arguments: a secret's value stays out of plan and state

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.0"
    }
  }

  # where the state is, comes from envs/<environment>.gcs.tfbackend
  backend "gcs" {}
}

provider "google" {
  project = var.project_id
  region  = var.region

  # A person's credentials belong to no project; the Budget API refuses them without one that is named.
  billing_project       = var.project_id
  user_project_override = true
}
