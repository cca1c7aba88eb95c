"""The list of a bucket's objects: prefix, delimiter, offsets, globs and pages.

Source: https://cloud.google.com/storage/docs/json_api/v1/objects/list
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from localcloud.storage.errors import Invalid, NotImplementedHere
from localcloud.storage.exchange import Request, Response
from localcloud.storage.resource import ObjectResource, linked
from localcloud.storage.store import Store

LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Window:
    """Say which names of a bucket are asked for, and how those behind a delimiter fold into prefixes."""

    prefix: str
    delimiter: str
    first: str
    end: str | None  # exclusive
    trailing: bool  # show an object that is named like a prefix beside it

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Window":
        """Read a listing's parameters.

        Raises:
            NotImplementedHere: a glob with a delimiter.
        """
        if "matchGlob" in query and query.get("delimiter"):
            raise NotImplementedHere("matchGlob together with delimiter")
        trailing = query.get("includeTrailingDelimiter", "").lower() == "true"  # gcloud writes True
        prefix, delimiter, first = (query.get(name, "") for name in ("prefix", "delimiter", "startOffset"))
        return cls(prefix, delimiter, first, query.get("endOffset") or None, trailing)

    def folder(self, name: str) -> str | None:
        """Return the prefix that a name folds into, if it does."""
        if not self.delimiter:
            return None
        head, found, _ = name[len(self.prefix) :].partition(self.delimiter)
        return self.prefix + head + self.delimiter if found else None

    def rows(self, objects: Iterable[ObjectResource]) -> Iterator[tuple[str, ObjectResource | None]]:
        """Yield each object by its name, and each prefix with nothing; offsets count before the folding."""
        for each in objects:
            name = each["name"]
            if name < self.first or (self.end is not None and name >= self.end):
                continue
            folder = self.folder(name)
            if folder is None or (self.trailing and name == folder):
                yield name, each
            elif folder is not None:
                yield folder, None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: objects, the prefixes that stand for others, and where the next page begins."""

    objects: list[ObjectResource]
    prefixes: list[str]
    token: str | None


def list_objects(store: Store, request: Request) -> Response:
    """Send one page: objects, and with a delimiter the prefixes that stand for those behind it."""
    page = page_of(store, request.params["bucket"], request.query)
    items = [linked(resource, request.base_url) for resource in page.objects]
    body = {"kind": "storage#objects", "items": items, "prefixes": page.prefixes, "nextPageToken": page.token}
    return Response(document={field: value for field, value in body.items() if value})


def page_of(store: Store, bucket: str, query: Mapping[str, str]) -> Page:
    """Return the page that a listing's parameters ask for.

    Raises:
        NoSuchBucket: there is no such bucket.
        Invalid, NotImplementedHere: a parameter is wrong, or not known together with another.
    """
    window, after, size = Window.of(query), page_token(query), page_size(query)
    with store.lock:
        objects = store.catalogue.named(bucket, window.prefix, query.get("matchGlob"))
    rows = dict(sorted(window.rows(objects), key=lambda row: (row[0], row[1] is not None)))
    left = [row for row in rows if row > after]
    page = left[:size]
    return Page(
        [resource for row in page if (resource := rows[row]) is not None],
        [row for row in page if window.folder(row) == row],
        next_token(page[-1]) if len(left) > len(page) else None,
    )


def page_size(query: Mapping[str, str]) -> int:
    """Return how many rows a page may have; Google's largest if none is asked.

    Raises:
        Invalid: it is no positive number.
    """
    asked = query.get("maxResults")
    if asked is None:
        return LARGEST_PAGE
    if not asked.isdecimal() or int(asked) == 0:
        raise Invalid(f"Invalid value for maxResults: {asked!r}")
    return min(int(asked), LARGEST_PAGE)


def page_token(query: Mapping[str, str]) -> str:
    """Return the row after which a page begins.

    Raises:
        Invalid: the token is none of ours.
    """
    try:
        return base64.b64decode(query.get("pageToken", ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Invalid(f"Invalid value for pageToken: {query['pageToken']!r}") from error


def next_token(row: str) -> str:
    """Return the token of the page after a row."""
    return base64.b64encode(row.encode()).decode()
