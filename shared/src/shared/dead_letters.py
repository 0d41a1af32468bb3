"""Dead letters: what every attempt failed on, listed and replayed by an operator.

``RENTREE_BROKER_URL=amqp://… python -m shared.dead_letters list`` names the queues that hold some;
``… replay courses.claim_seats`` gives them back to their reaction, as if they were new.
"""

import argparse
import asyncio
import os
import sys

import aio_pika
from aio_pika.abc import AbstractChannel

from shared.broker import dead_queue, with_heartbeat
from shared.contracts.reactions import REACTIONS
from shared.reactions import ATTEMPT_HEADER


async def count_dead_letters(channel: AbstractChannel) -> dict[str, int]:
    """Give how many letters lie dead for each reaction that has some."""
    counts: dict[str, int] = {}
    for queue in REACTIONS:
        letters = await channel.declare_queue(dead_queue(queue), passive=True)
        if waiting := letters.declaration_result.message_count:
            counts[queue] = waiting
    return counts


async def replay_dead_letters(channel: AbstractChannel, queue: str) -> int:
    """Give a reaction its dead letters back; give how many.

    A letter leaves the dead only once its queue has confirmed it: a crash repeats it, and the
    inbox absorbs that. Raises KeyError where there is no such reaction.
    """
    REACTIONS[queue]
    letters = await channel.declare_queue(dead_queue(queue), passive=True)
    replayed = 0
    for _ in range(letters.declaration_result.message_count or 0):
        letter = await letters.get(fail=False)
        if letter is None:
            break
        headers = {
            name: value
            for name, value in letter.headers.items()
            if name != ATTEMPT_HEADER and not name.startswith(("x-death", "x-first-death"))
        }
        await channel.default_exchange.publish(
            aio_pika.Message(
                letter.body,
                content_type=letter.content_type,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                message_id=letter.message_id,
                type=letter.type,
                app_id=letter.app_id,
                timestamp=letter.timestamp,
                headers=headers,
            ),
            queue,
        )
        await letter.ack()
        replayed += 1
    return replayed


async def run(broker_url: str, words: list[str]) -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="dead-letters", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="count the dead letters of each reaction")
    replay = commands.add_parser("replay", help="give a reaction its dead letters back")
    replay.add_argument("queue", choices=sorted(REACTIONS))
    options = parser.parse_args(words)
    async with await aio_pika.connect(with_heartbeat(broker_url), timeout=5) as connection:
        channel = await connection.channel(on_return_raises=True)
        if options.command == "list":
            for queue, waiting in (await count_dead_letters(channel)).items():
                sys.stdout.write(f"{queue}\t{waiting}\n")
        else:
            replayed = await replay_dead_letters(channel, options.queue)
            sys.stdout.write(f"{options.queue}\t{replayed} replayed\n")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(run(os.environ["RENTREE_BROKER_URL"], sys.argv[1:])))
