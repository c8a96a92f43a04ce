"""The program: its commands, and the one place where failures become sentences and statuses.

Invariant: a command's modules are imported when that command is run and not before, so that
`--version` and `--help` answer at once.
"""

import importlib
import os
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final, NoReturn

import click

from codeintel_ls.cancellation import CancelledError
from codeintel_ls.cli import output
from codeintel_ls.errors import CodeIntelError

_NAME: Final = "codeintel-ls"
_FAILED: Final = 2
_INTERRUPTED: Final = 130
_DEBUG: Final = "CODEINTEL_LS_DEBUG"
_COMMANDS: Final = {
    "search": "Find the places that answer a question.",
    "index": "Bring the index of a folder up to date.",
    "status": "Show what the index of a folder holds.",
    "blame": "Show who last changed each line of a file.",
    "history": "List the commits that changed a file or some of its lines.",
    "config": "Show the settings that hold, or their JSON Schema.",
    "doctor": "Check that everything this program needs is there and works.",
    "cache": "List what indexes take of the disk, and make room.",
    "daemon": "List, stop and look into the servers that run in the background.",
    "connect": "Connect an editor with the server that all windows on a folder share.",
    "mcp": "Serve coding agents over the Model Context Protocol.",
    "serve": "Run the language server for an editor.",
}

_EXAMPLES: Final = """
\b
Examples:
  codeintel-ls search where are retries with backoff done
  codeintel-ls search -n 5 --glob 'src/**' parse a date
  codeintel-ls blame src/app.py:10-20
  codeintel-ls history src/app.py
  codeintel-ls serve --stdio

Every command has its own --help.
"""


class _LazyCommands(click.Group):
    """A group whose commands are modules of this package, imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"codeintel_ls.cli.{cmd_name}").command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            known = ", ".join(_COMMANDS)
            raise click.UsageError(f"There is no command '{args[0]}'. There are: {known}.", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from codeintel_ls import __version__

        click.echo(f"{_NAME} {__version__}")
        ctx.exit()


@click.group(
    cls=_LazyCommands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EXAMPLES,
)
@click.option("--debug", is_flag=True, help=f"Tracebacks and logs on stderr (also {_DEBUG}=1).")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version)
@click.pass_context
def _program(ctx: click.Context, debug: bool) -> None:
    """Ask questions about code, offline: search by meaning, blame and history.

    The first search of a project indexes it; later ones index only what changed. Nothing leaves
    this machine.
    """
    if debug:
        os.environ[_DEBUG] = "1"
    _set_up_logging()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the result is the exit status."""
    output.prepare_streams()
    try:
        with _ending_on_signals():
            status = _carry_out(list(arguments))
            sys.stdout.flush()
    except BrokenPipeError:
        _give_up_stdout()
        return 0
    except KeyboardInterrupt:
        return _fail(CancelledError(), as_json=_wants_json(arguments))
    # Whatever goes wrong must end as one sentence.
    except Exception as error:  # noqa: BLE001
        return _fail(error, as_json=_wants_json(arguments))
    return status


def _carry_out(arguments: list[str]) -> int:
    # Not `main` of click: it would end the process by itself, for a closed pipe say.
    try:
        with _program.make_context(_NAME, arguments) as context:
            status: Any = _program.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    return status if isinstance(status, int) else 0


def _wants_json(arguments: Sequence[str]) -> bool:
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options


def _fail(error: Exception, *, as_json: bool) -> int:
    if isinstance(error, CancelledError):
        output.tell("Cancelled. What was done so far stays.")
        kind, message, status = "Cancelled", "The command was cancelled.", _INTERRUPTED
    else:
        kind, message, status = type(error).__name__, _sentence(error), _FAILED
        _print_traceback(error)
        output.tell(message, "error")
    if as_json:
        with suppress(BrokenPipeError):
            output.print_json({"error": {"type": kind, "message": output.text_of(message)}})
            sys.stdout.flush()
    return status


def _sentence(error: Exception) -> str:
    if isinstance(error, CodeIntelError):
        return str(error)
    if isinstance(error, click.ClickException):
        command = (
            error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else _NAME
        )
        return f"{error.format_message()} See `{command} --help`."
    if isinstance(error, OSError) and error.strerror:
        return f"The system refused: {error.strerror}. Run again with --debug to see where."
    return (
        f"Something unexpected went wrong ({type(error).__name__}). Run again with "
        f"`{_NAME} --debug` and report what it prints."
    )


def _debugging() -> bool:
    return os.environ.get(_DEBUG, "") not in {"", "0"}


def _print_traceback(error: Exception) -> None:
    if _debugging() and not isinstance(error, click.ClickException):
        import traceback

        traceback.print_exception(error)


def _set_up_logging() -> None:
    import logging

    if _debugging():
        logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
        logging.getLogger("codeintel_ls").setLevel(logging.DEBUG)
    else:
        # Without any handler Python would print warnings, and tracebacks with them.
        logging.getLogger().addHandler(logging.NullHandler())


def _give_up_stdout() -> None:
    """Nobody reads any more: let the interpreter's last flush go nowhere."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _ending_on_signals() -> Generator[None]:
    """Let the signals that end a process do so through its `finally` blocks."""

    def end(number: int, _: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    wanted = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    try:
        before = {number: signal.signal(number, end) for number in wanted}
    except ValueError:  # not on the main thread
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
