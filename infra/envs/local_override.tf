# Laid beside the root's files where infra/ is applied to the local cloud: the state is a file there.
terraform {
  backend "local" {}
}
