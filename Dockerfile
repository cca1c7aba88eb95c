# One image for both: the runs, which land data, and the always-on worker, which starts them (infra/worker.tf).
# `docker build --platform linux/amd64 .` makes it; tests/image goes through it without a daemon.

# What Docker recorded of this tag on 2026-08-25 (docker-library/repo-info). Dependabot raises tag and digest together.
#checkov:skip=CKV_DOCKER_2:a job's container ends by itself, and Cloud Run asks the worker's own health port
FROM python:3.11.16-slim-trixie@sha256:be1575ed968de893bd54f4c56315ff7c4736ce522c1bca08fd521731aafc0d76 AS base

FROM base AS builder
WORKDIR /opt/landfall
RUN python -m venv --without-pip /opt/venv
COPY requirements-run.lock ./
# Wheels alone, so that nothing that is installed runs code on the way; the cache stays outside of the image.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/venv/bin/python install --quiet --disable-pip-version-check --no-compile \
        --only-binary :all: --no-deps --require-hashes --requirement requirements-run.lock
# A quarter of the size: packages' own tests, and the descriptions of all of Google's APIs but the one that is called so.
RUN find /opt/venv -type d -name tests -prune -exec rm -r {} + \
    && find /opt/venv -path '*/discovery_cache/documents/*' ! -name 'run.v*.json' -delete
COPY flows ./flows
# Compiled here, as the run's user may not write; by content, as a file's date says nothing in an image.
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib /opt/landfall/flows

FROM base
# nothing is installed from here on
RUN pip uninstall --quiet --yes --root-user-action ignore setuptools wheel pip
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /opt/landfall /opt/landfall
# The user has a number and no name, so HOME is said; on Cloud Run /tmp is the container's memory.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/landfall \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    PREFECT_HOME=/tmp/prefect \
    DO_NOT_TRACK=1
# where prefect.yaml's entry points are relative to
WORKDIR /opt/landfall
USER 10001:10001
# What Prefect's worker starts a job with too: it runs the flow run that PREFECT__FLOW_RUN_ID names.
CMD ["prefect", "flow-run", "execute"]
