"""What a family is shown of its messages, how it stops reminders, and what programs may ask."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from shared.contract import Rejection
from shared.contracts.letters import Reminders, Wording, WordingPreview
from shared.contracts.notifications import (
    ChooseReminders,
    DeliveryState,
    LaunchReminders,
    ListMailFailures,
    ListMessages,
    ListReminders,
    ListWordings,
    MessageKind,
    PreviewWording,
    ReminderChoice,
    ResetWording,
    ResumeReminders,
    SaveWording,
    SentMessage,
    StopReminders,
)
from shared.identifiers import new_id

from tests.forms import words
from tests.harness import family_caller, operator
from tests.portal import Portal

NOW = datetime(2027, 6, 1, 8, 30, tzinfo=UTC)
SITE, CAMPAIGN, FAMILY = new_id(), new_id(), new_id()
TOKEN = f"{FAMILY.hex}.ABCDEFGH"

type Client = TestClient[Litestar]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def portal(gateway: Portal) -> Portal:
    gateway.reset({})
    return gateway


@pytest.fixture
def family(portal: Portal) -> Iterator[Client]:
    with portal.browser(family_caller()) as browser:
        yield browser


@pytest.fixture
def stranger(portal: Portal) -> Iterator[Client]:
    with portal.browser() as browser:
        yield browser


@pytest.fixture
def program(portal: Portal) -> Iterator[Client]:
    with portal.program(operator()) as program:
        yield program


def a_message(
    kind: MessageKind = "submission_receipt", state: DeliveryState = "sent", failure: str = ""
) -> SentMessage:
    return SentMessage(
        id=new_id(),
        kind=kind,
        family_id=FAMILY,
        student="Zoé N'DIAYE",
        created_at=NOW,
        to="camille@familles.example",
        state=state,
        at=NOW,
        failure=failure,
        attempts=(),
    )


# The page


def test_a_family_reads_what_it_was_sent_and_where_it_stands(
    portal: Portal, family: Client
) -> None:
    portal.services.answers[ListMessages] = (
        a_message(),
        a_message("draft_reminder", "failed", "550 no such user"),
        a_message("document_refused", "sent", "b@x.example : 550"),
        a_message("waiting_list_offer", "too_late"),
    )
    page = words(family.get("/famille/messages").text)
    assert "Accusé de réception d'une demande de réinscription, Zoé N'DIAYE" in page
    assert "01/06/2027 à 10:30" in page
    assert "camille@familles.example" in page
    assert "Non remis : vérifiez votre adresse e-mail" in page
    assert "Envoyé, mais pas à toutes les adresses" in page
    assert "Non envoyé : il était trop tard" in page
    assert "550" not in page
    assert "Messages plus anciens" not in page


def test_older_messages_are_a_page_further(portal: Portal, family: Client) -> None:
    sent = tuple(a_message() for _ in range(50))
    portal.services.answers[ListMessages] = sent
    page = family.get("/famille/messages").text
    (older,) = [
        part.split('"')[0] for part in page.split('href="') if part.startswith("/famille/messages?")
    ]
    family.get(older.replace("&amp;", "&"))
    assert portal.services.asked[-1] == ListMessages(before=sent[-1].id)


def test_a_family_without_messages_is_told_so(portal: Portal, family: Client) -> None:
    portal.services.answers[ListMessages] = ()
    assert "Aucun message." in words(family.get("/famille/messages").text)


def test_messages_are_for_who_is_signed_in(stranger: Client) -> None:
    answer = stranger.get("/famille/messages", follow_redirects=False)
    assert answer.status_code == 303


# Reminders, by the link of a mail


def test_reading_the_link_changes_nothing(portal: Portal, stranger: Client) -> None:
    portal.services.answers[ReminderChoice] = True
    page = stranger.get(f"/rappels?jeton={TOKEN}")
    assert "Ne plus recevoir de rappels" in words(page.text)
    assert "set-cookie" not in page.headers
    assert portal.services.asked == [ReminderChoice(token=TOKEN)]


@pytest.mark.parametrize(
    ("posted", "wanted"),
    [
        ({"List-Unsubscribe": "One-Click"}, False),  # a mail reader, by RFC 8058
        ({"rappels": "non"}, False),
        ({"rappels": "oui"}, True),
    ],
)
def test_one_click_stops_reminders_without_a_session(
    portal: Portal, stranger: Client, posted: dict[str, str], wanted: bool
) -> None:
    portal.services.answers[ChooseReminders] = None
    answer = stranger.post(f"/rappels?jeton={TOKEN}", data=posted)
    assert answer.status_code == 200
    assert portal.services.asked == [ChooseReminders(token=TOKEN, wanted=wanted)]
    expected = "de nouveau envoyés" if wanted else "ne vous seront plus envoyés"
    assert expected in words(answer.text)


def test_a_link_that_is_not_ours_says_what_to_do(portal: Portal, stranger: Client) -> None:
    text = "Ce lien n'est pas valable : ouvrez-le depuis l'e-mail que vous avez reçu."
    portal.services.answers[ReminderChoice] = Rejection("link_expired", text)
    answer = stranger.get("/rappels?jeton=x")
    assert answer.status_code == 409
    assert text in words(answer.text)


# The API


def test_programs_read_the_delivery_log(portal: Portal, program: Client) -> None:
    portal.services.answers[ListMessages] = (a_message(),)
    portal.services.answers[ListMailFailures] = ()
    mine = program.get("/api/v1/messages", params={"before": str(CAMPAIGN)})
    assert mine.json()[0]["to"] == "camille@familles.example"
    assert program.get(f"/api/v1/families/{FAMILY}/messages").status_code == 200
    assert program.get(f"/api/v1/sites/{SITE}/mail-failures").json() == []
    assert portal.services.asked == [
        ListMessages(before=CAMPAIGN),
        ListMessages(family_id=FAMILY),
        ListMailFailures(site_id=SITE),
    ]


def test_programs_launch_stop_and_resume_reminders(portal: Portal, program: Client) -> None:
    stand = Reminders(
        kind="answer_reminder",
        is_stopped=False,
        concerned=3,
        sent=0,
        launch_from=NOW + timedelta(days=1),
    )
    portal.services.answers |= {
        ListReminders: (stand,),
        LaunchReminders: stand,
        StopReminders: None,
        ResumeReminders: None,
    }
    path = f"/api/v1/campaigns/{CAMPAIGN}/reminders"
    assert program.get(path).json()[0]["concerned"] == 3
    launch_id = new_id()
    launched = program.post(f"{path}/answer_reminder/launches", json={"launch_id": str(launch_id)})
    assert launched.json()["launch_from"] == "2027-06-02T08:30:00Z"
    assert program.put(f"{path}/draft_reminder/stop").status_code == 204
    assert program.delete(f"{path}/draft_reminder/stop").status_code == 204
    assert portal.services.asked[1:] == [
        LaunchReminders(launch_id=launch_id, campaign_id=CAMPAIGN, kind="answer_reminder"),
        StopReminders(campaign_id=CAMPAIGN, kind="draft_reminder"),
        ResumeReminders(campaign_id=CAMPAIGN, kind="draft_reminder"),
    ]


def test_a_kind_that_does_not_exist_is_refused(program: Client) -> None:
    answer = program.put(f"/api/v1/campaigns/{CAMPAIGN}/reminders/submission_receipt/stop")
    assert answer.status_code in {404, 422}


def test_programs_word_preview_and_reset(portal: Portal, program: Client) -> None:
    wording = Wording(
        kind="draft_reminder", language="fr", text="Bonjour", is_own=True, variables=("eleves",)
    )
    portal.services.answers |= {
        ListWordings: (wording,),
        SaveWording: wording,
        ResetWording: wording,
        PreviewWording: WordingPreview(subject="Sujet", text="Texte", html="<p>"),
    }
    path = f"/api/v1/sites/{SITE}/wordings"
    assert program.get(path).json()[0]["variables"] == ["eleves"]
    one = f"{path}/draft_reminder/fr"
    assert program.put(one, json={"text": "Bonjour"}).json()["is_own"]
    assert program.post(f"{one}/preview", json={}).json()["subject"] == "Sujet"
    assert program.delete(one).status_code == 200
    assert program.put(one, json={"text": "x" * 4001}).status_code == 422
