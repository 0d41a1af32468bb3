"""The whole system on one machine: `python -m stack up`."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path

from stack.demonstration import PASSWORD, SIGN_INS, load_demonstration
from stack.errors import StackError
from stack.running import Stack
from stack.topology import PACKAGES, parse_port, parse_scale


async def up(run_folder: Path, port: int, scale: dict[str, int]) -> None:
    """Run the whole system until Ctrl-C or SIGTERM, and take it down whatever happened."""
    async with Stack(run_folder, public_port=port, scale=scale, report=say) as stack:
        await until_told_to_stop(run(stack))


async def run(stack: Stack) -> None:
    """Start everything, load the demonstration territory, and go on for ever."""
    say("Starting PostgreSQL, RabbitMQ, the store and the mail server")
    await stack.start_servers()
    say("Starting the services and the gateway")
    await stack.start()
    await stack.start_balancer()
    say("Loading the demonstration territory")
    await load(stack)
    say(welcome(stack))
    await asyncio.Event().wait()


async def load(stack: Stack) -> None:
    """Load the demonstration territory, or say where to read why it cannot be."""
    try:
        await load_demonstration(stack.urls, stack.keys.private)
    except StackError as error:
        raise StackError(f"{error}\nWhat the services say of it is in {stack.logs}") from error


async def until_told_to_stop(work: Coroutine[None, None, None]) -> None:
    """Do the work until it ends, or until the first Ctrl-C or SIGTERM.

    Signals stay harmless afterwards: what the caller then does to stop is not to be interrupted.
    """
    task = asyncio.create_task(work)

    def stop() -> None:
        if task.done() or task.cancelling():
            say("Stopping is under way: a moment")
        else:
            say("\nStopping everything (the data stay)")
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


def welcome(stack: Stack) -> str:
    """What a person needs once everything runs."""
    replicas = "\n".join(
        f"      {package:<14} {'  '.join(stack.urls[package])}" for package in PACKAGES
    )
    accounts = f"\n{' ' * 24}".join(f"site Meudon, identifiant {name}" for name in SIGN_INS)
    return f"""
  Rentrée est prêt :    {stack.public_url}

  Se connecter :        {accounts}
  Mot de passe :        {PASSWORD}
  Courriels envoyés :   {stack.mailbox.folder}
  Journaux :            {stack.logs}
  Processus :
{replicas}

  Ctrl-C arrête tout ; les données restent dans {stack.run_folder}.
"""


def say(line: str) -> None:
    """Write to the terminal at once."""
    print(line, flush=True)


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m stack", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="up")
    start = commands.add_parser("up", help="start the whole system and keep it running")
    start.add_argument("--scale", default="", help='replicas, as in "courses=2 gateway=2"')
    start.add_argument("--port", default="8000", help="the public port (default 8000)")
    start.add_argument("--run", type=Path, default=Path(".run"), help="data, logs, mails (.run)")
    options = parser.parse_args()
    try:
        asyncio.run(up(options.run, parse_port(options.port), parse_scale(options.scale)))
    except StackError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"\nNot allowed to write {error.filename}: is it another user's?", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
