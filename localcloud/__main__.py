"""The commands: `python -m localcloud --help`."""

# ruff: noqa: T201  # the commands say on the terminal what they did

import argparse
import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from localcloud import environment, supervisor
from localcloud.auth import auth_file, auth_string
from localcloud.command import run
from localcloud.provision import Cloud, provision, provision_cloud_run
from localcloud.run.images import Images, of_folder
from localcloud.services import CLOUD, SERVICES, Service
from localcloud.signals import Interrupted, raise_interrupted
from localcloud.state import LocalCloudError, State

# exit codes of `status`, as a system's service scripts have them
_DOWN = 1
_NOT_RUNNING = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if "run" not in options:
        parser.print_help()
        return 0
    command: Callable[[argparse.Namespace], int] = options.run
    raise_interrupted()
    try:
        return command(options)
    except LocalCloudError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except Interrupted as interrupted:
        return interrupted.exit_code
    except BrokenPipeError:  # `... | head -1`: the rest of the report has no reader
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's last flush complains
        return 128 + signal.SIGPIPE


def _up(options: argparse.Namespace) -> int:
    start = time.monotonic()
    started = supervisor.up(options.data, _wanted(options))
    print(f"up in {time.monotonic() - start:.1f} s" if started else "already up")
    for service in _asked(options):
        for name, package in service.missing().items():
            print(f"{name:<13} left out: the package {package} is not installed")
    if "prefect" in supervisor.addresses_of(options.data):
        print(f"{'':<13} Prefect's UI asks for a password: it is in {auth_file(options.data)}")
    return _report(options.data)


def _down(options: argparse.Namespace) -> int:
    stopped = supervisor.down(options.data)
    print(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")
    return 0


def _status(options: argparse.Namespace) -> int:
    if not supervisor.health(options.data):
        print(f"{options.data}: nothing is running; start it with `python -m localcloud up`", file=sys.stderr)
        return _NOT_RUNNING
    return _report(options.data)


def _env(options: argparse.Namespace) -> int:
    print(environment.for_shell(options.data, _addresses(options.data), os.environ))
    return 0


def _exec(options: argparse.Namespace) -> int:
    if not options.command:
        raise LocalCloudError("exec: no command given, expected one after `--`; nothing was started")
    start = time.monotonic()
    shown = " ".join(options.command)
    with supervisor.running(options.data, _wanted(options), f"exec -- {shown}") as started:
        if started:
            print(f"started {', '.join(started)} in {time.monotonic() - start:.1f} s", file=sys.stderr)
        variables = environment.for_command(options.data, _addresses(options.data), os.environ)
        return run(State(options.data), options.command, variables)


def _provision(options: argparse.Namespace) -> int:
    try:
        cloud = Cloud(
            os.environ["STORAGE_EMULATOR_HOST"],
            os.environ["BIGQUERY_EMULATOR_HOST"],
            os.environ["GOOGLE_CLOUD_PROJECT"],
        )
    except KeyError as missing:
        raise LocalCloudError(
            f"provision: {missing.args[0]} is not set, expected the local cloud's environment; run it under "
            '`python -m localcloud exec --`, or after `eval "$(python -m localcloud env)"`; nothing was made'
        ) from missing
    outputs = provision(cloud, options.environment)
    if options.cloud_run:
        secrets = _addresses(options.data)["secretmanager"]
        outputs |= provision_cloud_run(secrets, cloud.project, options.environment, auth_string(options.data))
    print(json.dumps(outputs, indent=2))
    return 0


def _terraform(options: argparse.Namespace) -> int:
    if missing := [
        name
        for name in ("cryptography", "googleapiclient", "grpc", "msgpack")
        if importlib.util.find_spec(name) is None
    ]:
        raise LocalCloudError(
            f"terraform: the stand-in provider needs {', '.join(missing)}, not installed here; "
            "install landfall-localcloud[terraform]; nothing was done"
        )
    from localcloud.terraform.command import terraform  # noqa: PLC0415  # gRPC and the schemas: only this needs them

    return terraform(options.data, options.config, options.arguments)


def _serve(options: argparse.Namespace) -> int:
    from localcloud.process import serve  # noqa: PLC0415  # DuckDB and a web server: the other commands are quick

    ports = {name: getattr(options, f"{name}_port") for name in CLOUD.probes}
    serve(options.data, {name: port for name, port in ports.items() if port is not None})
    return 0


def _image(options: argparse.Namespace) -> int:
    environment_of_image = dict(word.partition("=")[::2] for word in options.env)
    images = Images(options.data / "images.json")
    images.put(options.name, of_folder(options.folder, environment_of_image))
    print(f"{options.name} stands for {options.folder}, run by {sys.executable}")
    return 0


def _worker(options: argparse.Namespace) -> int:
    if missing := [name for name in ("prefect", "prefect_gcp") if importlib.util.find_spec(name) is None]:
        raise LocalCloudError(f"worker: {' and '.join(missing)} not installed here; nothing was started")
    variables = environment.for_command(options.data, _addresses(options.data), os.environ)
    addresses = supervisor.addresses_of(options.data)
    if "run" not in addresses:
        raise LocalCloudError(f"{options.data}: the local Cloud Run is not up; nothing was started")
    os.environ.clear()
    # all that it asks is on this machine, and httplib2 refuses to work beside a proxy without another package
    os.environ.update({name: value for name, value in variables.items() if name not in environment.PROXIES})
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Prefect ends its worker by these itself
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    from localcloud.worker import start  # noqa: PLC0415  # Prefect: only this needs it

    return start(addresses["run"], options.pool, options.wait_s, options.arguments)


def _report(data: Path) -> int:
    """Print a line for each address, the UI's last; 1 if one of them does not answer."""
    report = supervisor.health(data)
    for service in report:
        state = f"DOWN: {service.problem}" if service.problem else "healthy"
        print(f"{service.name:<13} {service.address:<24} {state}")
    return _DOWN if any(service.problem for service in report) else 0


def _addresses(data: Path) -> dict[str, str]:
    addresses = supervisor.addresses_of(data)
    if not addresses.keys() & CLOUD.probes.keys():
        raise LocalCloudError(f"{data}: the local cloud is not up; start it with `python -m localcloud up`")
    return addresses


def _asked(options: argparse.Namespace) -> tuple[Service, ...]:
    return SERVICES if options.prefect else (CLOUD,)


def _wanted(options: argparse.Namespace) -> tuple[Service, ...]:
    return tuple(service for service in _asked(options) if service.offered())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m localcloud",
        description="The cloud on a laptop: Cloud Storage, BigQuery, credentials, a publisher of data files and a "
        "Prefect server, on this machine alone.",
    )
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument(
        "--data",
        type=lambda text: Path(text).resolve(),
        default=".local",
        help="the folder that keeps everything; two of them are two clouds (default: %(default)s)",
    )
    services = argparse.ArgumentParser(add_help=False, parents=[data])
    services.add_argument("--no-prefect", dest="prefect", action="store_false", help="leave the Prefect server out")
    commands = parser.add_subparsers(metavar="COMMAND")

    def add(
        name: str, run: Callable[[argparse.Namespace], int], parent: argparse.ArgumentParser, text: str
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, parents=[parent], help=text, description=text)
        command.set_defaults(run=run)
        return command

    add("up", _up, services, "Start the services in the background and wait until they answer.")
    add("down", _down, data, "Stop the services.")
    add(
        "status",
        _status,
        data,
        "Say how each service is. The exit code is 0 if all answer, 1 if one does not, 3 if nothing is running.",
    )
    add("env", _env, data, 'Print the environment of the running local cloud, for `eval "$(...)"`.')
    execute = add(
        "exec",
        _exec,
        services,
        "Run a command on the local cloud. Services that are not running are started for it and stopped after it.",
    )
    execute.add_argument("command", nargs="*", metavar="-- COMMAND")
    provision = add(
        "provision",
        _provision,
        data,
        "Make the bucket and the dataset of an environment if they are absent, and print what `terraform output "
        "-json` would.",
    )
    provision.add_argument("--environment", default="local", help="(default: %(default)s)")
    provision.add_argument(
        "--cloud-run",
        action="store_true",
        help="also the secret with the auth string of --data's Prefect server, and the outputs of a work pool",
    )
    terraform = add(
        "terraform",
        _terraform,
        data,
        "Run Terraform on a copy of a configuration, on the local cloud, with a stand-in for the google provider.",
    )
    terraform.add_argument(
        "--config", type=lambda text: Path(text).resolve(), default="infra", help="its folder (default: %(default)s)"
    )
    terraform.add_argument("arguments", nargs="*", metavar="-- ARGUMENTS")
    image = add("image", _image, data, "Say what an image's name stands for: a folder, run by this Python.")
    image.add_argument("name", help="the reference, as a job's container names it")
    image.add_argument("--folder", type=lambda text: Path(text).resolve(), default=".", help="(default: %(default)s)")
    image.add_argument(
        "--env", action="append", default=[], metavar="NAME=VALUE", help="a variable that the image sets"
    )
    worker = add(
        "worker", _worker, data, "Run Prefect's own Cloud Run worker, in the foreground, on the local Cloud Run."
    )
    worker.add_argument("--pool", required=True, help="the work pool, of type cloud-run-v2")
    worker.add_argument(
        "--wait-s",
        type=float,
        default=1.0,
        help="the longest that the worker waits between two looks at a job (default: %(default)s; on Google Cloud 5)",
    )
    worker.add_argument("arguments", nargs="*", metavar="-- OPTIONS", help="more options of `prefect worker start`")
    serve = commands.add_parser("serve", parents=[data])  # without help it is not listed
    serve.set_defaults(run=_serve)
    for name in CLOUD.probes:
        serve.add_argument(f"--{name}-port", type=int, required=name not in CLOUD.packages)
    return parser


if __name__ == "__main__":
    sys.exit(main())
