"""`python -m flows.cli` is `landfall`."""

from flows.cli.main import main

main()
