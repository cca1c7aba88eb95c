"""What several commands take, said once."""

from typing import Annotated

import typer


def _contract_names(incomplete: str) -> list[str]:
    """Complete a contract's name in a shell."""
    from flows import settings
    from flows.etl import contract

    return [name for name in contract.names(settings.CONTRACTS) if name.startswith(incomplete)]


ContractName = Annotated[
    str, typer.Argument(help="The data set: a file in flows/contracts/.", autocompletion=_contract_names)
]
ContractNames = Annotated[
    list[str] | None,
    typer.Argument(help="Data sets: files in flows/contracts/.", autocompletion=_contract_names, show_default=False),
]
SomeContracts = Annotated[
    list[str], typer.Argument(help="The data sets: files in flows/contracts/.", autocompletion=_contract_names)
]
Pool = Annotated[
    str | None, typer.Option(metavar="POOL", help="Run it in this work pool of Prefect's, and watch; here if left out.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a row, for programs.")]
