"""The `stacklab` command: one file a command, each with `register(app)`. Reads, asks and prints; the work is below."""
