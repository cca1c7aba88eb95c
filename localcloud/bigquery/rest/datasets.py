"""bigquery.datasets: get, insert, list, patch, update, delete."""

from __future__ import annotations

from localcloud.bigquery import catalog
from localcloud.bigquery.faults import Fault
from localcloud.bigquery.parsing import parse
from localcloud.bigquery.resources import DATASET_OUTPUT, Dataset, DatasetKey
from localcloud.bigquery.rest.changes import check_etag, patched, without
from localcloud.bigquery.rest.methods import Call, Json, Method, page
from localcloud.bigquery.warehouse import Warehouse

_LISTED = {"kind", "id", "dataset_reference", "labels", "friendly_name", "location"}


def methods(warehouse: Warehouse) -> list[Method]:
    """Declare the methods."""
    database = warehouse.database

    def insert(call: Call) -> Json:
        given = parse(Dataset, call.body, call.method)
        key = given.dataset_reference.key(call.project)
        with database.write() as cursor:
            return catalog.create_dataset(cursor, key, without(given, DATASET_OUTPUT)).to_json()

    def get(call: Call) -> Json:
        with database.read() as cursor:
            return catalog.dataset(cursor, _key(call)).to_json()

    def list_all(call: Call) -> Json:
        with database.read() as cursor:
            found = catalog.datasets(cursor, call.project)
        return page([body.to_json(_LISTED) for body in found], call, "bigquery#datasetList", "datasets")

    def change(call: Call) -> Json:
        key = _key(call)
        with database.write() as cursor:
            old = catalog.dataset(cursor, key)
            check_etag(call, old.etag)
            new = patched(Dataset, call, old, DATASET_OUTPUT, "datasetReference")
            if new.location is not None and new.location != old.location:
                raise Fault("invalid", f"The location of dataset {key} cannot be changed")
            kept = {"location": old.location, "dataset_reference": old.dataset_reference}
            return catalog.save_dataset(cursor, key, new.model_copy(update=kept)).to_json()

    def delete(call: Call) -> None:
        key = _key(call)
        with database.write() as cursor:
            check_etag(call, catalog.dataset(cursor, key).etag)
            catalog.drop_dataset(cursor, key, with_tables=call.flag("deleteContents"))

    every = "/projects/{project}/datasets"
    one = every + "/{dataset}"
    return [
        Method("bigquery.datasets.insert", "POST", every, insert),
        Method("bigquery.datasets.list", "GET", every, list_all, frozenset({"maxResults", "pageToken"})),
        Method("bigquery.datasets.get", "GET", one, get),
        Method("bigquery.datasets.patch", "PATCH", one, change),
        Method("bigquery.datasets.update", "PUT", one, change),
        Method("bigquery.datasets.delete", "DELETE", one, delete, frozenset({"deleteContents"})),
    ]


def _key(call: Call) -> DatasetKey:
    return DatasetKey(call.project, call.path["dataset"])
