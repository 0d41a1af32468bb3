"""Mails of the queue against bare ones, and receipts printed: `python -m bench.notifications`.

*Bare* is aiosmtplib on one line, handing over messages made beforehand. *Queue* takes each message
from the database, writes its letter, hands it over on one line and records it with its event; the
same words, to the same mail server. *Receipts* are the same with a PDF printed and attached. Sides
take turns in one run; the last line of output is JSON, and the exit code is not 0 where a mail
was lost or doubled.
"""

import argparse
import asyncio
import re
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from os import getpid
from pathlib import Path

import aiosmtplib
import uvloop
from notifications.app import service
from notifications.mail import Letterhead
from notifications.opting_out import ReminderLinks
from notifications.outgoing import queue_message
from notifications.postman import MailServer, Postman
from notifications.press import Press
from notifications.reactions import remember_campaign, remember_families, remember_sites
from notifications.sending import Sending, send_due_messages
from notifications.verification import Seal
from shared.contracts.notifications import MessageKind
from shared.db import Database
from shared.handlers import Occurrence
from shared.identifiers import new_id
from shared.observability import configure_logging
from stack.errors import StackError
from stack.running import Stack

from bench.findings import Findings, table
from bench.machine import describe_machine
from bench.processor import clock, process_id, tree_clock
from bench.rounds import Round, Stopwatch, processor_of, ratio, side_by_side, typical
from shared import migrations
from tests.applicants import Applicant

_FAMILIES = 50
_MESSAGE_ID = re.compile(rb"^Message-ID: (<[^>]+>)", re.MULTILINE | re.IGNORECASE)
_THIS_PROCESS = "this process"
_COURSE = "FM 2.1 (34) - MARDI - 17.00 à 18.30"


@dataclass(frozen=True, slots=True)
class Office:
    """A database of notifications that knows some families, and a mail server."""

    stack: Stack
    database: Database
    sending: Sending
    applicants: list[Applicant]
    mails: int

    @classmethod
    @asynccontextmanager
    async def of(cls, stack: Stack, mails: int) -> AsyncIterator["Office"]:
        """Make the database and tell it of the families."""
        await stack.postgresql.provide(["bench"])
        url = stack.postgresql.url("bench")
        await migrations.upgrade(url, service.migrations)
        database = Database(url, name="bench", connections=4)
        letterhead = Letterhead.of("Rentrée <portail@rentree.example>", "https://portail.example")
        press = Press(Seal("a secret of the benchmark"), letterhead.portal_url)
        links = ReminderLinks("a secret of the benchmark", letterhead.portal_url)
        sending = Sending(Postman(MailServer.at(stack.mailbox.url)), letterhead, press, links)
        first = Applicant()
        others = (
            Applicant(site_id=first.site_id, campaign_id=first.campaign_id)
            for _ in range(_FAMILIES - 1)
        )
        office = cls(stack, database, sending, [first, *others], mails)
        async with database.transaction() as tx:
            await remember_sites(first.sites(), tx)
            await remember_campaign(first.campaign(), tx)
            for each in office.applicants:
                await remember_families(each.recorded(each.address), tx)
        try:
            yield office
        finally:
            await database.close()

    async def queue(self, kind: MessageKind) -> Round:
        """Fill the queue, and time how it empties."""
        now = datetime.now(UTC)
        async with self.database.transaction() as tx:
            for number in range(self.mails):
                applicant = self.applicants[number % _FAMILIES]
                await queue_message(
                    tx,
                    kind,
                    new_id().hex,
                    Occurrence(id=new_id(), happened_at=now, correlation_id="bench"),
                    content=_content(kind, number, now),
                    family_id=applicant.family_id,
                    student_id=applicant.student_id,
                    campaign_id=applicant.campaign_id,
                    site_id=applicant.site_id,
                    application_id=new_id(),
                )
        arrived = self._arrived().total()
        watch = self._watch()
        while self._files() < arrived + self.mails:
            await send_due_messages(self.database, self.sending)
        return watch.stop(self.mails)

    async def bare(self) -> Round:
        """Hand over as many mails, of the same words, made beforehand."""
        made = [self._example() for _ in range(self.mails)]
        watch = self._watch()
        line = aiosmtplib.SMTP(hostname="127.0.0.1", port=self.stack.mailbox.port)
        async with line:
            for mail in made:
                await line.send_message(mail)
        return watch.stop(self.mails)

    def each_once(self) -> bool:
        """Tell whether no mail of the queue arrived twice."""
        return set(self._arrived().values()) == {1}

    def _example(self) -> EmailMessage:
        """Make a mail like the queue's, under an identifier of its own."""
        like = next(iter(sorted(self.stack.mailbox.folder.glob("*.eml"))))
        mail = message_from_bytes(like.read_bytes(), EmailMessage, policy=default)
        mail.replace_header("Message-ID", f"<{new_id()}@bare.example>")
        for header in ("X-Envelope-From", "X-Envelope-To"):
            del mail[header]
        return mail

    def _watch(self) -> Stopwatch:
        postgresql = process_id(self.stack.process("postgresql"))
        server = process_id(self.stack.process("smtp"))
        return Stopwatch(
            {
                _THIS_PROCESS: clock(getpid()),
                "PostgreSQL": tree_clock(postgresql),
                "mail server": clock(server),
            }
        )

    def _files(self) -> int:
        return sum(1 for _ in self.stack.mailbox.folder.glob("*.eml"))

    def _arrived(self) -> Counter[bytes]:
        return Counter(
            found[1]
            for file in self.stack.mailbox.folder.glob("*.eml")
            if (found := _MESSAGE_ID.search(file.read_bytes()))
        )


def _content(kind: MessageKind, number: int, now: datetime) -> dict[str, object]:
    if kind == "waiting_list_offer":
        return {"course": _COURSE, "until": now + timedelta(hours=24)}
    return {
        "receipt_number": f"BEN-2027-{number:06}-1",
        "received_at": now,
        "asked_courses": [_COURSE],
        "left_courses": [],
    }


async def run(mails: int, rounds: int) -> Findings:
    """Run on servers of its own, stopped and removed at the end."""
    stack = Stack(Path(tempfile.mkdtemp(prefix="rentree-bench-")), report=print)
    try:
        async with stack:
            await stack.start_servers()
            print(await describe_machine(stack), flush=True)
            async with Office.of(stack, mails) as office:
                await office.queue("waiting_list_offer")  # the bare mails are made like one of it
                results = await side_by_side(
                    {
                        "bare": office.bare,
                        "queue": lambda: office.queue("waiting_list_offer"),
                        "receipts": lambda: office.queue("submission_receipt"),
                    },
                    rounds,
                )
                each_once = await asyncio.to_thread(office.each_once)
    finally:
        stack.remove()
    ours = processor_of(_THIS_PROCESS)
    columns = (_THIS_PROCESS, "PostgreSQL", "mail server")
    rows = [
        [
            name,
            typical(each, lambda one: one.per_second),
            1000 / typical(each, ours),
            *(typical(each, processor_of(column)) for column in columns),
        ]
        for name, each in results.items()
    ]
    headers = ["", "mails/s", "mails/s a core", *(f"CPU {column} ms" for column in columns)]
    print(table(f"{mails} mails a turn, {rounds} turns, one line; medians", headers, rows))
    return Findings(
        ratios={
            "mail_vs_bare_smtp": ratio(results["bare"], results["queue"], ours),
            "mail_rate_vs_bare_smtp": ratio(
                results["queue"], results["bare"], lambda one: one.per_second
            ),
            "receipts_a_second_a_core": 1000 / typical(results["receipts"], ours),
        },
        checks={"each mail arrived once": each_once},
    )


def main() -> int:
    """Read the command line, run, end with the line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.notifications", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="measure less")
    given = parser.parse_args()
    configure_logging("bench", "warning")
    try:
        findings = uvloop.run(run(100, 1) if given.quick else run(500, 5))
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n" + findings.line("notifications"))
    return 0 if findings.are_right else 1


if __name__ == "__main__":
    sys.exit(main())
