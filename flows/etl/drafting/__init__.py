"""A contract proposed from the head of one real file, for a person to look at."""

from flows.etl.drafting.draft import Draft, draft, name_for
from flows.etl.drafting.placing import check_free, place

__all__ = ["Draft", "check_free", "draft", "name_for", "place"]
