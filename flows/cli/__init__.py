"""The `landfall` command: one module a subcommand."""
