"""The suite's own rules: every case has a promise, and a quotation from an installed file stands there."""

import pytest

from tests.conformance.promises import STORAGE_API, Promise, held_by, stands_in


def test_quotations_from_installed_files_stand_in_them(request: pytest.FixtureRequest) -> None:
    cases = [item for item in request.session.items if item.get_closest_marker("promise")]
    quotations = {each for item in cases for each in held_by(item) if each.quoted}
    from_files = [each for each in quotations if not each.source.startswith("https://")]
    assert [each for each in from_files if not stands_in(each.words, each.source)] == []


def test_words_that_google_did_not_write_are_found_out() -> None:
    assert stands_in("Setting to 0 makes the operation succeed only if there are no live versions", STORAGE_API)
    assert not stands_in("Setting to 0 makes the operation succeed always", STORAGE_API)


@pytest.mark.parametrize(
    "mark", [None, pytest.mark.promise(Promise("w", "storage.md", quoted=True)), pytest.mark.promise("w")]
)
def test_a_case_without_a_source_is_refused(request: pytest.FixtureRequest, mark: pytest.MarkDecorator | None) -> None:
    item = pytest.Function.from_parent(request.node.parent, name="unheld", callobj=lambda: None)
    if mark is not None:
        item.add_marker(mark)
    with pytest.raises(pytest.UsageError, match="unheld"):
        held_by(item)
