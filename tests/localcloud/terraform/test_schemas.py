"""The schemas, what is known beside them, and what infra/ uses: the same types and names."""

import re
from pathlib import Path

from localcloud.terraform.kinds import RESOURCES, data_sources
from localcloud.terraform.provider import SCHEMAS

INFRA = Path(__file__).parents[3] / "infra"


def used(word: str) -> set[str]:
    text = "\n".join(path.read_text() for path in INFRA.glob("*.tf"))
    return set(re.findall(rf'^{word} "(google_\w+)"', text, re.MULTILINE))


def test_there_is_a_schema_for_each_type_that_infra_uses_and_for_no_other() -> None:
    assert set(SCHEMAS["resources"]) == set(RESOURCES) == used("resource")
    assert set(SCHEMAS["data_sources"]) == set(data_sources("local")) == used("data")


def test_what_is_known_of_a_type_names_attributes_that_its_schema_has() -> None:
    for name, kind in RESOURCES.items():
        block = SCHEMAS["resources"][name]["block"]
        known = block["attributes"].keys() | block.get("block_types", {}).keys()
        shared = {"project", "location"} if name.endswith("_iam_member") else set()  # what all bindings are looked for
        named = {*kind.defaults, *kind.computed, *kind.parents, *kind.kept, *kind.replaced_by - shared}
        words = set(re.findall(r"{(\w+)}", kind.id + "".join(kind.computed.values())))
        assert named - known == set(), name
        assert words - known - {"serial", "count", "project_number"} == set(), name
        assert kind.protected is None or kind.protected in known, name
