"""The receipt in the portal and the API: kept, sent again, and confirmed to whoever holds one."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from gateway.throttle import VERIFICATIONS
from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.notifications import (
    Delivery,
    DeliveryState,
    GenuineReceipt,
    ListDeliveries,
    PrintedReceipt,
    PrintReceipt,
    SendReceiptAgain,
    VerifyReceipt,
)
from shared.identifiers import new_id

from tests.forms import filled_in, words
from tests.harness import family_caller
from tests.portal import Portal
from tests.wizard import Household, household

NUMBER = "MEU-2027-000042-1"
RECEIPT = PrintedReceipt.model_construct(
    filename=f"accuse-de-reception-{NUMBER}.pdf", pdf=b"%PDF-1.7 essai"
)
AGAIN = "Renvoyer l'accusé de réception"
DOWNLOAD = "Télécharger l'accusé de réception"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as family:
        family.stands_at(6, state="submitted")
        yield family


def a_delivery(
    state: DeliveryState = "sent", again_in: timedelta | None = -timedelta(minutes=1)
) -> Delivery:
    now = datetime.now(UTC)
    return Delivery(
        kind="submission_receipt",
        receipt_number=NUMBER,
        to="nicole.test@familles.example",
        state=state,
        at=now - timedelta(minutes=6),
        again_from=None if again_in is None else now + again_in,
    )


def receipt_page(family: Household, *deliveries: Delivery) -> str:
    family.answer({ListDeliveries: deliveries})
    return family.reads(family.at("finalisation"))


def receipt_path(family: Household) -> str:
    return family.at("accuse-de-reception")


# The PDF


@pytest.mark.parametrize("state", ["submitted", "declined"])
def test_the_page_leads_to_the_pdf_of_its_receipt(family: Household, state: str) -> None:
    family.stands_at(6, state=state)
    family.answer({PrintReceipt: RECEIPT})
    page = receipt_page(family, a_delivery())
    (link,) = re.findall(rf'href="([^"]+)">{DOWNLOAD}', page)

    answer = family.client.get(link)
    assert answer.content == b"%PDF-1.7 essai"
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="accuse-de-reception-{NUMBER}.pdf"'
    )
    assert answer.headers["cache-control"] == "no-store"
    assert family.asked(PrintReceipt) == [PrintReceipt(receipt_number=NUMBER)]


def test_a_receipt_that_is_not_known_yet_is_promised_not_linked(family: Household) -> None:
    page = receipt_page(family)
    assert DOWNLOAD not in words(page)
    assert AGAIN not in words(page)
    assert "dans quelques instants : rechargez la page" in words(page)


def test_a_draft_has_no_receipt(family: Household) -> None:
    family.stands_at(4)
    answer = family.client.get(receipt_path(family), follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, family.at("cours"))
    assert not family.asked(PrintReceipt)


def test_a_receipt_that_is_being_prepared_says_so(family: Household) -> None:
    text = "L'accusé de réception n'est pas encore prêt : réessayez dans un instant."
    family.answer({PrintReceipt: Rejection("receipt_not_ready", text)})
    answer = family.client.get(receipt_path(family))
    assert answer.status_code == 409
    assert text in words(answer.text)


# Sent again


def test_a_receipt_is_sent_again_by_one_button(family: Household) -> None:
    family.answer({SendReceiptAgain: a_delivery("waiting", None)})
    page = receipt_page(family, a_delivery())
    form = filled_in(page, receipt_path(family))

    for _ in range(2):  # pressed twice, it is one and the same delivery
        assert family.goes_on(receipt_path(family), form) == family.at("finalisation")
    first, second = family.asked(SendReceiptAgain)
    assert first == second
    assert first.receipt_number == NUMBER


def test_one_sent_a_moment_ago_says_from_when_it_can_be_sent_again(family: Household) -> None:
    page = receipt_page(family, a_delivery(again_in=timedelta(minutes=4)))
    assert AGAIN not in words(page)
    assert "Vous pourrez le faire renvoyer par e-mail à partir du" in words(page)


def test_one_on_its_way_is_not_sent_again(family: Household) -> None:
    page = receipt_page(family, a_delivery("waiting", None))
    assert AGAIN not in words(page)
    assert DOWNLOAD in words(page)


def test_one_that_was_refused_says_what_to_look_at(family: Household) -> None:
    page = receipt_page(family, a_delivery("failed"))
    assert AGAIN in words(page)
    assert "Vérifiez l'adresse e-mail dans vos coordonnées" in words(page)


@pytest.mark.parametrize("code", ["receipt_on_its_way", "sent_a_moment_ago", "no_address"])
def test_what_the_page_says_already_is_no_error(family: Household, code: str) -> None:
    family.answer({SendReceiptAgain: Rejection(code, "…")})
    form = filled_in(receipt_page(family, a_delivery()), receipt_path(family))
    assert family.goes_on(receipt_path(family), form) == family.at("finalisation")


def test_another_refusal_is_told(family: Household) -> None:
    family.answer({SendReceiptAgain: Rejection.not_found()})
    form = filled_in(receipt_page(family, a_delivery()), receipt_path(family))
    family.sends(receipt_path(family), form, status=404)


# Confirmed


def test_anyone_confirms_a_receipt_by_the_address_printed_on_it(portal: Portal) -> None:
    received_at = datetime(2026, 11, 22, 13, 5, 12, tzinfo=UTC)
    portal.reset({VerifyReceipt: GenuineReceipt(received_at=received_at)})
    with portal.browser() as stranger:
        answer = stranger.get(f"/verification?number={NUMBER}&code=ABCD-EFGH-IJKL-MNOP")
    page = words(answer.text)
    assert answer.status_code == 200
    assert "Cet accusé de réception est authentique" in page
    assert f"Numéro {NUMBER} Reçu le 22/11/2026 à 14:05" in page
    assert portal.services.asked == [
        VerifyReceipt(receipt_number=NUMBER, code="ABCD-EFGH-IJKL-MNOP")
    ]


def test_the_form_asks_for_both_and_keeps_what_was_typed(portal: Portal) -> None:
    portal.reset({})
    with portal.browser() as stranger:
        assert "Il y a un problème" not in stranger.get("/verification").text
        answer = stranger.get(f"/verification?number={NUMBER}&code=")
    assert answer.status_code == 422
    assert "Indiquez le code de vérification" in words(answer.text)
    assert f'value="{NUMBER}"' in answer.text
    assert portal.services.asked == []


def test_a_receipt_that_is_not_genuine_is_refused_without_saying_why(portal: Portal) -> None:
    portal.reset({VerifyReceipt: None})
    with portal.browser() as stranger:
        answer = stranger.get(f"/verification?number={NUMBER}&code=AAAA")
    assert answer.status_code == 422
    assert "Aucun accusé de réception n'a ce numéro et ce code" in words(answer.text)
    assert "authentique" not in answer.text


def test_the_page_is_the_same_for_everyone(portal: Portal) -> None:
    portal.reset({})
    with portal.browser(family_caller()) as family:
        answer = family.get("/verification")
    assert "set-cookie" not in answer.headers
    assert portal.services.asked == []


def test_verifications_are_counted_in_all(portal: Portal) -> None:
    portal.reset({VerifyReceipt: None})
    _, at_most = VERIFICATIONS.rate_limit
    with portal.browser() as stranger:
        statuses = [
            stranger.get(f"/verification?number={NUMBER}&code={guess}").status_code
            for guess in range(3 * at_most)
        ]
        refused = stranger.get(f"/api/v1/receipts/{NUMBER}/verification?code=A")
    assert 429 in statuses
    assert len(portal.services.asked) < 3 * at_most
    assert refused.status_code in {200, 429}


# The API


@pytest.fixture(autouse=True)
async def fresh_count(portal: Portal) -> None:
    """Each test may ask as often as the first one."""
    await VERIFICATIONS.get_store_from_app(portal.app).delete_all()


def test_the_api_gives_the_pdf(portal: Portal) -> None:
    portal.reset({PrintReceipt: RECEIPT})
    with portal.program(family_caller()) as program:
        answer = program.get(f"/api/v1/receipts/{NUMBER}/pdf")
    assert answer.content == b"%PDF-1.7 essai"
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == "attachment"


def test_the_api_sends_a_receipt_again(portal: Portal) -> None:
    portal.reset({SendReceiptAgain: a_delivery("waiting", None)})
    delivery_id = new_id()
    with portal.program(family_caller()) as program:
        answer = program.post(
            f"/api/v1/receipts/{NUMBER}/deliveries", json={"delivery_id": str(delivery_id)}
        )
    assert answer.json()["state"] == "waiting"
    assert portal.services.asked == [
        SendReceiptAgain(delivery_id=delivery_id, receipt_number=NUMBER)
    ]


@pytest.mark.parametrize("genuine", [True, False])
def test_the_api_confirms_a_receipt_without_a_token(portal: Portal, genuine: bool) -> None:
    received_at = datetime(2026, 11, 22, 13, 5, 12, tzinfo=UTC)
    portal.reset({VerifyReceipt: GenuineReceipt(received_at=received_at) if genuine else None})
    with portal.program() as stranger:
        answer = stranger.get(f"/api/v1/receipts/{NUMBER}/verification?code=ABCD")
    assert answer.json() == {
        "genuine": genuine,
        "received_at": "2026-11-22T13:05:12Z" if genuine else None,
    }


@pytest.mark.parametrize(
    "asked", [f"{'9' * 101}/verification?code=A", f"{NUMBER}/verification?code={'A' * 101}"]
)
def test_what_no_receipt_has_is_not_asked(portal: Portal, asked: str) -> None:
    portal.reset({})
    with portal.program() as stranger:
        assert stranger.get(f"/api/v1/receipts/{asked}").status_code == 422
    assert portal.services.asked == []


def test_notifications_away_is_said(portal: Portal) -> None:
    portal.reset({VerifyReceipt: ServiceUnavailable("notifications")})
    with portal.browser() as stranger:
        answer = stranger.get(f"/verification?number={NUMBER}&code=ABCD")
    assert answer.status_code == 503
    assert "Les e-mails sont momentanément indisponibles" in words(answer.text)
