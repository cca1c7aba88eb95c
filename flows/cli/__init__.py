"""The `landfall` command: one module a subcommand, which imports what is heavy when it runs."""
