"""One correlation id goes from the click to the e-mail, through every log on its way."""

import json

import pytest

from tests.harness import eventually
from tests.system import System
from tests.visitor import Visitor

pytestmark = pytest.mark.servers


async def test_the_mail_bears_the_correlation_id_of_the_click(portal: System) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    application = await school.prepare(family)
    async with Visitor.signed_in(portal.stack.public_url, school, family) as visitor:
        path = f"/dossiers/{application.id}/recapitulatif"
        form = (await visitor.get(path)).hidden() | {"accepted": "oui", "direction": "suite"}
        done = await visitor.post(path, form)
    assert done.path.endswith("/finalisation"), done.text
    recorded = await portal.count(
        "enrolment",
        "SELECT count(*) FROM application WHERE state = 'submitted' AND id = $1",
        application.id,
    )
    assert recorded == 1
    await eventually(school.mails)
    (mail,) = school.mails()
    assert mail["x-correlation-id"] == done.correlation_id
    processes = {
        line["process"]
        for log in portal.stack.logs.glob("*.log")
        for text in log.read_text(errors="replace").splitlines()
        if done.correlation_id in text
        for line in [json.loads(text)]
    }
    assert {"gateway", "enrolment", "courses", "notifications"} <= processes
