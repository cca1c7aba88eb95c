"""Where code is taken from: what may be written, the steps that it becomes, and what is refused."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from deployments import storage
from deployments.errors import DeclarationError

ROOT = Path(__file__)


def steps(text: str, **given: Any) -> list[dict[str, Any]]:
    return storage.parse(text, is_installed=lambda _: True, **given).steps(ROOT)


def git_clone(**asked: str) -> list[dict[str, Any]]:
    return [{"prefect.deployments.steps.git_clone": asked}]


@pytest.mark.parametrize(
    ("text", "directory"), [("local", str(ROOT)), ("local:/opt/flows", "/opt/flows"), ("image", ".")]
)
def test_a_folder_is_gone_to(text: str, directory: str) -> None:
    assert steps(text) == [{"prefect.deployments.steps.set_working_directory": {"directory": directory}}]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("github:coa/repo_name", {"repository": "https://github.com/coa/repo_name.git"}),
        ("github:coa/repo_name@dev", {"repository": "https://github.com/coa/repo_name.git", "branch": "dev"}),
        (
            "git:https://example.org/a/b.git@feature/x",
            {"repository": "https://example.org/a/b.git", "branch": "feature/x"},
        ),
        ("git:git@example.org:a/b.git", {"repository": "git@example.org:a/b.git"}),
        ("git:git@example.org:a/b.git@main", {"repository": "git@example.org:a/b.git", "branch": "main"}),
        ("git:file:///srv/b", {"repository": "file:///srv/b"}),
    ],
)
def test_a_repository_is_cloned_at_its_branch(text: str, asked: dict[str, str]) -> None:
    assert steps(text) == git_clone(**asked)


def test_a_private_repositorys_token_is_named_and_never_held() -> None:
    assert steps("github:a/b", token_block="github") == git_clone(  # noqa: S106 - a block's name
        repository="https://github.com/a/b.git",
        access_token="{{ prefect.blocks.secret.github }}",  # noqa: S106
    )


@pytest.mark.parametrize(
    ("text", "step", "asked"),
    [
        ("gcs:bucket/code/flows", "prefect_gcp.deployments.steps.pull_from_gcs", ("bucket", "code/flows/")),
        ("gs://bucket/code/", "prefect_gcp.deployments.steps.pull_from_gcs", ("bucket", "code/")),
        ("gcs:bucket", "prefect_gcp.deployments.steps.pull_from_gcs", ("bucket", "")),
        ("s3:bucket/code", "prefect_aws.deployments.steps.pull_from_s3", ("bucket", "code/")),
    ],
)
def test_a_bucket_is_copied(text: str, step: str, asked: tuple[str, str]) -> None:
    assert steps(text) == [{step: {"bucket": asked[0], "folder": asked[1]}}]


@pytest.mark.parametrize(
    "remote",
    ["https://github.com/coa/repo.git", "https://me:secret@github.com/coa/repo.git", "git@github.com:coa/repo.git"],
)
def test_git_alone_is_the_folders_own_repository_as_others_reach_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remote: str
) -> None:
    (tmp_path / "below").mkdir()
    for words in (["init", "--quiet", "--initial-branch=work"], ["remote", "add", "origin", remote]):
        subprocess.run(["git", "-C", tmp_path, *words], check=True)
    monkeypatch.chdir(tmp_path / "below")
    chosen = storage.parse("git")
    assert chosen.steps(ROOT) == git_clone(repository="https://github.com/coa/repo.git", branch="work")
    assert storage.root_of(chosen, Path.cwd()) == tmp_path
    assert chosen.note(tmp_path) is None
    (tmp_path / "flow.py").touch()
    assert str(chosen.note(tmp_path)).endswith(f"repo.git; files in {tmp_path} that are not committed: 1")


def test_commits_that_no_remote_has_are_said_until_they_are_pushed(tmp_path: Path) -> None:
    work, remote = tmp_path / "work", tmp_path / "repo.git"

    def git(*words: str | Path) -> None:
        subprocess.run(["git", "-C", work, "-c", "user.name=x", "-c", "user.email=x@y", *words], check=True)

    work.mkdir()
    git("init", "--quiet", "--initial-branch=main")
    git("init", "--quiet", "--bare", remote)
    git("remote", "add", "origin", remote)
    chosen = storage.parse(f"git:{remote}@main")
    for n in (1, 2):
        git("commit", "--quiet", "--allow-empty", "--message", "x")
        assert chosen.note(work) == f"runs take what is pushed to {remote}; commits that are not pushed: {n}"
    git("push", "--quiet", "origin", "main")
    assert chosen.note(work) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ftp:x", "--storage: found 'ftp:x', expected local[:FOLDER], git[:REPOSITORY[@BRANCH]], github:OWNER/NAME"),
        ("gcs:", "--storage: found 'gcs:', expected "),
        ("github:coa", "--storage: found 'github:coa', expected "),
        ("image:x", "--storage: found 'image:x', expected "),
        ("git:repo", "--storage git: found 'repo', expected git:REPOSITORY[@BRANCH]"),
        (
            "git:https://u:p@example.org/a.git",
            "--storage git: found a name or password in the address, expected neither",
        ),
        (
            "s3:bucket/code",
            "--storage s3:bucket/code: found no prefect-aws here, expected it, for runs pull from S3 with ",
        ),
    ],
)
def test_what_cannot_be_a_storage_is_refused_and_no_password_is_repeated(text: str, said: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        storage.parse(text, is_installed=lambda _: None)
    assert str(refused.value).startswith(said)
    assert str(refused.value).endswith("nothing was written")
    assert "u:p" not in str(refused.value)


def test_a_token_is_for_repositories_alone() -> None:
    with pytest.raises(
        DeclarationError, match=r"^--token-block: found x with the storage image, expected it with git or"
    ):
        storage.parse("image", "x")
