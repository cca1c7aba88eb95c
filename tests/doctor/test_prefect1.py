"""What a Prefect 1 team left behind: each of its values has a place now, and none of them is shown."""

import re
from pathlib import Path

import pytest
from prefect.settings import Settings
from prefect.settings.legacy import _get_valid_setting_names

from flows.doctor import prefect1
from flows.doctor.finding import Finding, ok
from flows.doctor.seen import Seen

# as a team kept it in a password safe, and copied it to ~/.prefect/config.toml
OLD = """
backend = "cloud"

[cloud]
api = "https://ann:s3cret-in-url@prefect.example.org/graphql"
auth_token = "s3cret-token"
api_key = "s3cret-key"
use_local_secrets = false

[cloud.agent]
auth_token = "s3cret-agent"
labels = ["s3cret-label"]

[context.secrets]
GCP_CREDENTIALS = '{"private_key": "s3cret-pem"}'
SALESFORCE = "s3cret-salesforce"

[flows.defaults.storage]
default_class = "prefect.storage.GitHub"

[logging]
level = "DEBUG"

[made_up]
by = "s3cret-somebody"
"""


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    return Seen(tmp_path, tmp_path, {})


def write(seen: Seen, text: str) -> Path:
    file = seen.home / ".prefect" / "config.toml"
    file.parent.mkdir()
    file.write_text(text)
    return file


def rows(found: list[Finding] | Finding) -> list[tuple[str, str, str]]:
    return [(each.verdict, each.found, each.what_to_do) for each in (found if isinstance(found, list) else [found])]


def test_where_nothing_is_left_there_is_nothing_to_say(seen: Seen) -> None:
    file = seen.home / ".prefect" / "config.toml"
    assert prefect1.config_toml(seen) == ok(f"nothing of Prefect 1: no {file}, no variable PREFECT__...")


def test_each_value_of_an_old_file_has_its_place(seen: Seen) -> None:
    file = write(seen, OLD)
    found = rows(prefect1.config_toml(seen))
    assert {verdict for verdict, _, _ in found} == {"warning"}
    assert [(where, place.partition(":")[0]) for _, where, place in found] == [
        (f"{file}: backend", "nowhere by itself"),
        (f"{file}: cloud.api", "PREFECT_API_URL, the new server's address up to /api"),
        (f"{file}: cloud.auth_token", "PREFECT_API_KEY, with a new key"),
        (f"{file}: cloud.api_key", "PREFECT_API_KEY, with a new key"),
        (f"{file}: cloud.use_local_secrets", "nowhere"),
        (f"{file}: cloud.agent.auth_token", "the worker's PREFECT_API_KEY, with a new key"),
        (f"{file}: cloud.agent.labels", "work queues and tags"),
        (f"{file}: context.secrets.GCP_CREDENTIALS", "nowhere"),
        (f"{file}: context.secrets.SALESFORCE", "a Secret block (prefect block create secret)"),
        (f"{file}: flows.defaults.storage.default_class", "`pull` in prefect.yaml"),
        (f"{file}: logging.level", "PREFECT_LOGGING_LEVEL; for jobs on Cloud Run log_level in infra/envs/"),
        (f"{file}: made_up.by", "nowhere"),
        (f"{file}: Prefect 3 reads none of it, and its secrets lie there in clear", f"rm {file}"),
    ]


def test_no_value_of_it_is_shown(seen: Seen) -> None:
    write(seen, OLD)
    seen.environ = {"PREFECT__CLOUD__AUTH_TOKEN": "s3cret-variable", "PREFECT__CONTEXT__SECRETS__DB": "s3cret-db"}
    assert "s3cret" not in repr(prefect1.config_toml(seen))


def test_a_file_that_is_no_toml_is_not_quoted(seen: Seen) -> None:
    file = write(seen, "auth_token = s3cret-bare\n")
    assert rows(prefect1.config_toml(seen)) == [
        ("problem", f"{file}: TOMLDecodeError, cannot be read", f"Prefect 3 does not read it: rm {file}")
    ]


def test_an_empty_file_may_go(seen: Seen) -> None:
    file = write(seen, "# nothing\n[cloud]\n")
    assert rows(prefect1.config_toml(seen)) == [("warning", f"{file} is there, and empty", f"rm {file}")]


def test_old_variables_have_their_places_too(seen: Seen) -> None:
    seen.environ = {
        "PREFECT__CONTEXT__SECRETS__GITHUB_ACCESS_TOKEN": "s3cret",
        "PREFECT__CLOUD__AGENT__LABELS": "['x']",
        "PREFECT_API_URL": "http://127.0.0.1:4200/api",
    }
    assert rows(prefect1.config_toml(seen)) == [
        (
            "warning",
            "PREFECT__CLOUD__AGENT__LABELS: cloud.agent.labels",
            f"{prefect1.place('cloud.agent.labels')}; unset PREFECT__CLOUD__AGENT__LABELS",
        ),
        (
            "warning",
            "PREFECT__CONTEXT__SECRETS__GITHUB_ACCESS_TOKEN: context.secrets.GITHUB_ACCESS_TOKEN",
            (
                "a Secret block, the access_token of git_clone in prefect.yaml's pull;"
                " unset PREFECT__CONTEXT__SECRETS__GITHUB_ACCESS_TOKEN"
            ),
        ),
    ]


def test_an_old_file_elsewhere_is_found_by_its_variable(seen: Seen) -> None:
    elsewhere = seen.home / "old.toml"
    elsewhere.write_text("debug = true\n")
    seen.environ = {"PREFECT__USER_CONFIG_PATH": str(elsewhere)}
    assert rows(prefect1.config_toml(seen))[0] == ("warning", f"{elsewhere}: debug", "PREFECT_DEBUG_MODE")


def test_each_setting_that_is_named_is_one_of_prefects() -> None:
    named = set(re.findall(r"PREFECT_[A-Z_]+\b", " ".join(prefect1.PLACES.values())))
    assert named <= {*_get_valid_setting_names(Settings)}
    assert len(named) > 10
