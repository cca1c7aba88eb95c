"""What the google provider knows of its types beside their schemas: ids, defaults, what a change replaces.

The schema protocol carries none of it. Source: the provider's pages, https://registry.terraform.io/providers/hashicorp/google
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.terraform.values import Value

ADDRESS = "registry.terraform.io/hashicorp/google"


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of resource.

    `id` and `computed` are format strings over the resource's own attributes. `parents` are the attributes that name
    another resource, and that one's type: it must be there when this one is made. What is `shared` is made by saying
    so twice as well as once: bindings, enabled services. `protected` names the attribute that forbids deletion.
    `kept` are blocks that the provider fills in when the configuration leaves them out, `capitals` are attributes that
    it writes in them.
    """

    id: str
    replaced_by: frozenset[str]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    computed: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    shared: bool = False
    protected: str | None = None
    kept: frozenset[str] = frozenset()
    capitals: frozenset[str] = frozenset()


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _member(of: str, identity: str, parents: Mapping[str, str] | None = None) -> Kind:
    """One member's role on something: a change of anything is another binding."""
    return Kind(
        id=f"{identity}/{{role}}/{{member}}",
        replaced_by=_names(f"{of} role member project location condition"),
        parents=parents or {},
        shared=True,
    )


_REPOSITORY = "projects/{project}/locations/{location}/repositories/{repository_id}"
_RUN = "projects/{project}/locations/{location}"
_POOL = "projects/{project}/locations/global/workloadIdentityPools/{workload_identity_pool_id}"
_API = "https://bigquery.googleapis.com/bigquery/v2"

RESOURCES: Mapping[str, Kind] = {
    "google_artifact_registry_repository": Kind(
        id=_REPOSITORY,
        replaced_by=_names("repository_id location project format mode kms_key_name"),
        defaults={"mode": "STANDARD_REPOSITORY"},
        computed={"name": "{repository_id}", "registry_uri": "{location}-docker.pkg.dev/{project}/{repository_id}"},
    ),
    "google_artifact_registry_repository_iam_member": _member(
        "repository",
        "projects/{project}/locations/{location}/repositories/{repository}",
        {"repository": "google_artifact_registry_repository"},
    ),
    "google_bigquery_dataset": Kind(
        id="projects/{project}/datasets/{dataset_id}",
        replaced_by=_names("dataset_id location project external_dataset_reference"),
        defaults={"location": "US", "delete_contents_on_destroy": False},
        computed={"self_link": f"{_API}/projects/{{project}}/datasets/{{dataset_id}}"},
        kept=frozenset({"access"}),
    ),
    "google_bigquery_dataset_iam_member": _member(
        "dataset_id", "projects/{project}/datasets/{dataset_id}", {"dataset_id": "google_bigquery_dataset"}
    ),
    "google_billing_budget": Kind(
        id="billingAccounts/{billing_account}/budgets/{serial}",
        replaced_by=_names("billing_account"),
        defaults={"ownership_scope": None},
        computed={"name": "billingAccounts/{billing_account}/budgets/{serial}"},
    ),
    "google_cloud_run_v2_worker_pool": Kind(
        id=f"{_RUN}/workerPools/{{name}}",
        replaced_by=_names("name location project"),
        defaults={"deletion_protection": True},
        protected="deletion_protection",
        kept=_names("scaling instance_splits"),
    ),
    "google_iam_workload_identity_pool": Kind(
        id=_POOL,
        replaced_by=_names("workload_identity_pool_id project mode"),
        computed={
            "name": "projects/{project_number}/locations/global/workloadIdentityPools/{workload_identity_pool_id}",
            "state": "ACTIVE",
        },
    ),
    "google_iam_workload_identity_pool_provider": Kind(
        id=f"{_POOL}/providers/{{workload_identity_pool_provider_id}}",
        replaced_by=_names("workload_identity_pool_id workload_identity_pool_provider_id project"),
        computed={
            "name": "projects/{project_number}/locations/global/workloadIdentityPools/{workload_identity_pool_id}"
            "/providers/{workload_identity_pool_provider_id}",
            "state": "ACTIVE",
        },
        parents={"workload_identity_pool_id": "google_iam_workload_identity_pool"},
    ),
    "google_logging_metric": Kind(id="{name}", replaced_by=_names("name project")),
    "google_monitoring_alert_policy": Kind(
        id="projects/{project}/alertPolicies/{serial}",
        replaced_by=_names("project"),
        defaults={"enabled": True},
        computed={"name": "projects/{project}/alertPolicies/{serial}"},
        parents={"notification_channels": "google_monitoring_notification_channel"},
    ),
    "google_monitoring_notification_channel": Kind(
        id="projects/{project}/notificationChannels/{serial}",
        replaced_by=_names("project"),
        defaults={"enabled": True, "force_delete": False},
        computed={"name": "projects/{project}/notificationChannels/{serial}"},
    ),
    "google_project_iam_custom_role": Kind(
        id="projects/{project}/roles/{role_id}",
        replaced_by=_names("role_id project"),
        defaults={"stage": "GA"},
        computed={"name": "projects/{project}/roles/{role_id}"},
    ),
    "google_project_iam_member": _member("project", "{project}"),
    "google_project_service": Kind(
        id="{project}/{service}",
        replaced_by=_names("service project"),
        defaults={"disable_on_destroy": False},
        shared=True,
    ),
    "google_secret_manager_secret": Kind(
        id="projects/{project}/secrets/{secret_id}",
        replaced_by=_names("secret_id project replication"),
        defaults={"deletion_protection": False},
        computed={"name": "projects/{project_number}/secrets/{secret_id}"},
        protected="deletion_protection",
    ),
    "google_secret_manager_secret_iam_member": _member(
        "secret_id", "projects/{project}/secrets/{secret_id}", {"secret_id": "google_secret_manager_secret"}
    ),
    "google_secret_manager_secret_version": Kind(
        id="{secret}/versions/{version}",
        replaced_by=_names("secret secret_data secret_data_wo_version is_secret_data_base64"),
        defaults={"enabled": True, "is_secret_data_base64": False, "secret_data_wo_version": 0},
        computed={"name": "{secret}/versions/{version}"},
        parents={"secret": "google_secret_manager_secret"},
    ),
    "google_service_account": Kind(
        id="projects/{project}/serviceAccounts/{account_id}@{project}.iam.gserviceaccount.com",
        replaced_by=_names("account_id project"),
        defaults={"disabled": False},
        computed={
            "email": "{account_id}@{project}.iam.gserviceaccount.com",
            "member": "serviceAccount:{account_id}@{project}.iam.gserviceaccount.com",
            "name": "projects/{project}/serviceAccounts/{account_id}@{project}.iam.gserviceaccount.com",
        },
    ),
    "google_service_account_iam_member": _member(
        "service_account_id", "{service_account_id}", {"service_account_id": "google_service_account"}
    ),
    "google_storage_bucket": Kind(
        id="{name}",
        replaced_by=_names("name location project custom_placement_config hierarchical_namespace"),
        defaults={"storage_class": "STANDARD", "force_destroy": False},
        computed={"self_link": "https://www.googleapis.com/storage/v1/b/{name}", "url": "gs://{name}"},
        kept=frozenset({"soft_delete_policy"}),
        capitals=frozenset({"location"}),
    ),
    "google_storage_bucket_iam_member": _member("bucket", "b/{bucket}", {"bucket": "google_storage_bucket"}),
}

NUMBER = "123456789012"  # of the one project


def data_sources(project: str) -> dict[str, Value]:
    """Return what each data source finds; what it does not name is null."""
    return {
        "google_project": {"id": f"projects/{project}", "project_id": project, "number": NUMBER, "name": project},
    }
