"""Where people see an object, a table or a job in a browser: addresses of Google's console.

Only what Google itself serves is there. Its API says of each dataset under which address it is found; an emulator's
does not, or says its own.
"""

from urllib.parse import quote, urlencode, urlsplit

from flows.etl.destination import Destination

CONSOLE = "https://console.cloud.google.com"
GOOGLE = ".googleapis.com"


def covers(destination: Destination) -> bool:
    """Tell whether Google's console shows a destination."""
    return (urlsplit(destination.dataset.self_link or "").hostname or "").endswith(GOOGLE)


def of_object(destination: Destination, uri: str) -> str:
    """Give the page of an object, `gs://<bucket>/<name>`."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    project = urlencode({"project": destination.dataset.project})
    return f"{CONSOLE}/storage/browser/_details/{quote(bucket)}/{quote(name)}?{project}"


def of_table(destination: Destination, name: str) -> str:
    """Give the page of a table of the dataset."""
    dataset = destination.dataset
    where = {"p": dataset.project, "d": dataset.dataset_id, "t": name, "page": "table"}
    return f"{CONSOLE}/bigquery?{urlencode({'project': dataset.project, **where})}"


def of_job(destination: Destination, job_id: str) -> str:
    """Give the page of a job of BigQuery."""
    project = destination.dataset.project
    job = f"bq:{destination.location}:{job_id}"
    return f"{CONSOLE}/bigquery?{urlencode({'project': project, 'j': job, 'page': 'queryresults'}, safe=':')}"
