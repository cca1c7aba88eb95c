"""What a page of another site gets from the local cloud, whose Cloud Run would start a command: nothing."""

import pytest
import urllib3

from tests.localcloud.supervisor.laptop import Laptop

PAGE = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
OPENED = {"Sec-Fetch-Site": "none"}  # by its address, by a person
EMBEDDED = {"Sec-Fetch-Site": "cross-site"}


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("storage", "/storage/v1/b?project=local"),
        ("bigquery", "/bigquery/v2/projects/local/datasets"),
        ("publisher", "/airlines.csv"),
        ("run", "/v2/projects/local/locations/us-central1/jobs"),
        ("secretmanager", "/v1/projects/local/secrets"),
    ],
)
def test_a_service_answers_programs_and_people_but_no_page(running: Laptop, service: str, path: str) -> None:
    address = running.cloud().addresses[service] + path
    statuses = [urllib3.request("GET", address, headers=sent).status for sent in ({}, OPENED, EMBEDDED, PAGE)]
    assert statuses == [200, 200, 403, 403]
    assert urllib3.request("POST", address, headers=PAGE, body=b"{}").status == 403


def test_a_page_makes_no_job_and_no_bucket(running: Laptop) -> None:
    addresses = running.cloud().addresses
    job = b'{"template": {"template": {"containers": [{"image": "local/x", "command": ["true"]}]}}}'
    jobs, buckets = (
        f"{addresses['run']}/v2/projects/local/locations/us-central1/jobs",
        f"{addresses['storage']}/storage/v1/b",
    )
    urllib3.request("POST", f"{jobs}?jobId=pages", headers=PAGE, body=job)
    urllib3.request("POST", f"{buckets}?project=local", headers=PAGE, body=b'{"name": "pages"}')
    assert urllib3.request("GET", f"{jobs}/pages").status == 404
    assert urllib3.request("GET", f"{buckets}/pages").status == 404
