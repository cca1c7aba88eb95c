"""The settings that name an environment."""

from flows import settings
from flows.doctor.finding import Finding, ok, problem
from flows.doctor.seen import Seen
from flows.settings import SettingsError


def environment(seen: Seen) -> Finding:
    """Read LANDFALL_ENVIRONMENT and what goes with it."""
    try:
        seen.settings = settings.read()
    except SettingsError as error:
        return problem(
            str(error).partition("; on a laptop")[0].removesuffix("; nothing was written"),
            'on a laptop: make up && eval "$(make -s env)"; on Google Cloud: export LANDFALL_ENVIRONMENT=dev',
        )
    publisher = seen.settings.publisher
    served = "; contracts with {publisher} read from LANDFALL_PUBLISHER" if publisher else ""
    return ok(f"{seen.settings.environment}{served}")
