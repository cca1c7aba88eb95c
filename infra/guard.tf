# Remembers what this state is of. Another environment's values on this state (a slip with -var-file or the backend) are
# refused by a validation in variables.tf, in plan, apply and destroy alike. Not by preconditions on lake and warehouse:
# a destroy does not look at those (docs/decisions/0010-environment-guard.md). What really keeps environments apart is
# IAM: no account of one has a binding in another.
resource "terraform_data" "environment" {
  input = { environment = var.environment, project_id = var.project_id }

  lifecycle {
    ignore_changes = [input] # the first apply decides
  }
}

locals {
  labels = { application = "landfall", environment = var.environment }

  of_this_state = terraform_data.environment.output
  same_environment = (
    local.of_this_state.environment == var.environment && local.of_this_state.project_id == var.project_id
  )
  other_environment = join("", [
    "environment: found the values of ${var.environment} in ${var.project_id}, expected those of ",
    "${local.of_this_state.environment} in ${local.of_this_state.project_id}, which this state is of; ",
    "give both, the backend file and the values, of one environment; nothing was changed",
  ])
}
