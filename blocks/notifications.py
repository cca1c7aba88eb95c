"""The blocks by which Prefect's automations tell people: a chat's webhook, and e-mail.

Both are Prefect's own classes, for it is its server that sends. Their addresses are secrets, which Prefect keeps
encrypted; they come from the environment of who registers the blocks, and stay as they are where nothing is given.
"""

from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from blocks.outputs import OutputsError

# Slack's form; Mattermost, Rocket.Chat and Google Chat take the same
CHAT: dict[str, Any] = {
    "name": "Landfall",
    "url": "{{address}}",
    "method": "POST",
    "json_data": {"text": "*{{subject}}*\n{{body}}"},
}
WEBHOOK = "prefect.blocks.notifications:CustomWebhookNotificationBlock"

# Prefect has no block for e-mail by SMTP; this one hands an address that is not Slack's to Apprise as it is, whose
# mailto:// is SMTP. It can be another when Prefect has one (3.8.8: prefect-email's cannot notify)
EMAIL = "prefect.blocks.notifications:SlackWebhook"


class Addresses(BaseSettings):
    """Where messages go."""

    model_config = SettingsConfigDict(env_prefix="LANDFALL_", frozen=True, env_ignore_empty=True)

    slack_webhook: SecretStr | None = Field(None, description="https://hooks.slack.com/services/..., or another chat's")
    email: SecretStr | None = Field(None, description="mailtos://user:password@smtp.example.org:587?from=...&to=...")


def chat(keep: str) -> dict[str, Any]:
    """Give what the chat's block holds.

    Args:
        keep: stands for an address that is not given.

    Raises:
        OutputsError: the address is none; it is not repeated.
    """
    address = Addresses().slack_webhook
    _check("LANDFALL_SLACK_WEBHOOK", address, ("https://", "http://"), "https://hooks.slack.com/services/...")
    return {**CHAT, "secrets": {"address": address.get_secret_value() if address else keep}}


def email(keep: str) -> dict[str, Any]:
    """Give what the block for e-mail holds, likewise."""
    address = Addresses().email
    expected = "mailtos://<user>:<password>@smtp.example.org:587?from=<address>&to=<address>"
    _check("LANDFALL_EMAIL", address, ("mailtos://", "mailto://"), expected)
    return {"url": address.get_secret_value() if address else keep, "notify_type": "failure"}


def _check(name: str, address: SecretStr | None, schemes: tuple[str, ...], expected: str) -> None:
    if address and not address.get_secret_value().startswith(schemes):
        raise OutputsError(f"{name}: found something else than an address, expected {expected}; nothing was written")
