"""Google's own library finds the local account, and asks nobody off this machine."""

import json
import subprocess
import sys

import urllib3

from tests.localcloud.supervisor.laptop import Laptop
from tests.localcloud.supervisor.offline import Offline

ASK = """
import json, google.auth, google.auth.transport.requests as transport
credentials, project = google.auth.default()
request = transport.Request()
credentials.refresh(request)
headers = {}
# what every call of a client does: it also starts the look-up of the regions where an account may be used
credentials.before_request(request, "GET", "https://bigquery.googleapis.com/", headers)
import threading
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join()
print(json.dumps([type(credentials).__module__, project, credentials.token, credentials.service_account_email,
                  credentials.universe_domain, headers["authorization"]]))
"""


def test_the_default_credentials_are_local_and_no_other_host_is_asked(running: Laptop, offline: Offline) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", ASK],
        env=offline.added_to(running.variables()),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (finished.stderr, offline.refused()) == ("", [])
    assert json.loads(finished.stdout) == [
        "google.auth.compute_engine.credentials",
        "local",
        "local",
        "local@localhost",
        "googleapis.com",
        "Bearer local",
    ]


def test_the_guard_of_these_tests_refuses_and_remembers(offline: Offline) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", "import socket; socket.create_connection(('192.0.2.1', 80))"],
        env=offline.added_to({}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 1
    assert offline.refused() == ["192.0.2.1"]


def test_the_metadata_server_refuses_who_does_not_name_its_flavor(running: Laptop) -> None:
    url = running.cloud().addresses["bigquery"] + "/computeMetadata/v1/project/project-id"
    flavor = {"Metadata-Flavor": "Google"}

    assert urllib3.request("GET", url).status == 403
    assert urllib3.request("GET", url, headers={**flavor, "X-Forwarded-For": "192.0.2.1"}).status == 403
    answer = urllib3.request("GET", url, headers=flavor)
    assert (answer.status, answer.data, answer.headers["metadata-flavor"]) == (200, b"local", "Google")
