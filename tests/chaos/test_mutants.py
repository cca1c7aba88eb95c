"""The mutants fit the code as it is, and their scenarios are there; that they are noticed is `make chaos-mutants`."""

from pathlib import Path

import pytest

from tests.chaos import matrix
from tests.chaos.mutants.patches import Mutant, copy, mutants

NAMES = {each.name for each in matrix.scenarios()}


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant.name)
def test_each_mutant_still_fits_the_code_and_names_scenarios_that_are_there(mutant: Mutant, tmp_path: Path) -> None:
    tree = copy(tmp_path, "flows")
    before = {path: path.read_text() for path in tree.rglob("*.py")}
    mutant.apply(tree)
    assert any(path.read_text() != text for path, text in before.items())
    assert mutant.noticed_by
    assert set(mutant.noticed_by) <= NAMES
