"""The entry point: gathers the commands, shows an error once, without a stack trace, and ends with its exit status.

Exit status, everywhere: 0 done and all well, 1 the answer is bad (a check failed, something is left over),
2 the command could not do its work, 130 interrupted (typer sees to that). See docs/commands.md.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import os
import pkgutil
import sys
from typing import Annotated

import typer

from modules import cli
from modules.base import paths
from modules.base.errors import StacklabError

CANNOT_RUN = 2
DEBUG = "STACKLAB_DEBUG"


def build() -> typer.Typer:
    """The application with every command of this package: a module with a `register` function."""
    app = typer.Typer(
        name="stacklab",
        help="Kubernetes labs as Pulumi stacks: one short YAML file becomes a real cluster.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for info in pkgutil.iter_modules(cli.__path__):
        if info.name != "main":
            register = getattr(importlib.import_module(f"{cli.__name__}.{info.name}"), "register", None)
            if register is not None:
                register(app)
    return app


def main() -> None:
    """Run the command line of this process."""
    os.environ.setdefault("KUBECACHEDIR", str(paths.kubectl_memory()))
    try:
        build()()
    except StacklabError as error:
        if os.environ.get(DEBUG):
            raise
        print(f"stacklab: {error}", file=sys.stderr)
        raise SystemExit(CANNOT_RUN) from None


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"stacklab {importlib.metadata.version('stacklab')}")
        raise typer.Exit()


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar=DEBUG, help="Log every program that is run; errors with stack trace.")
    ] = False,
) -> None:
    if debug:
        os.environ[DEBUG] = "1"
        logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
        logging.getLogger("stacklab").setLevel(logging.DEBUG)


if __name__ == "__main__":
    main()
