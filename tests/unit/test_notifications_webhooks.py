"""Webhooks without a server: where they may lead, what signs them, when they are tried again."""

import json
import socket
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notifications.webhooks.addresses import AddressRefused, AddressRule
from notifications.webhooks.schedule import SUSPENDED_AFTER, next_attempt
from notifications.webhooks.signing import KeptEvent, new_secret, signed_headers
from shared.contract import Rejection
from shared.identifiers import new_id
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

NOW = datetime(2027, 5, 10, 8, tzinfo=UTC)
STRICT = AddressRule()


def an_event(**fields: str) -> KeptEvent:
    told = {"subject": "", "correlation_id": "", "data": '{"label": "Éveil \\"1\\" 🎻"}'} | fields
    return KeptEvent(
        id=new_id(),
        type="courses.seats_released.v1",
        source="/courses",
        happened_at=NOW,
        subject=told["subject"],
        correlation_id=told["correlation_id"],
        data=told["data"],
    )


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::7f00:1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "2001:db8::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not STRICT.permits(address)
    with pytest.raises(AddressRefused):
        STRICT.open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, 443)))


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_a_public_address_is_permitted(address: str) -> None:
    assert STRICT.permits(address)


def test_configuration_allows_a_network_and_nothing_beside_it() -> None:
    rule = AddressRule((ip_network("10.2.0.0/16"), ip_network("fd00::/8")))
    assert [rule.permits(a) for a in ("10.2.9.9", "::ffff:10.2.0.1", "fd00::1")] == [True] * 3
    assert [rule.permits(a) for a in ("10.3.0.1", "127.0.0.1", "fc00::1")] == [False] * 3


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "not_a_url"),
        ("crm.example/hook", "not_a_url"),
        ("https://", "not_a_url"),
        ("https://crm.example:99999/", "not_a_url"),
        ("ftp://crm.example/", "not_a_url"),
        ("file:///etc/passwd", "not_a_url"),
        ("http://crm.example/", "not_https"),
        ("https://user:pass@crm.example/", "has_credentials"),
        ("https://user@crm.example/", "has_credentials"),
        ("https://crm.example:8443/hook?a=1#b", None),
    ],
)
def test_a_url_is_read_before_it_is_resolved(url: str, reason: str | None) -> None:
    assert STRICT.objection(url) == reason


def test_plain_http_is_for_who_allows_it() -> None:
    assert AddressRule(allows_http=True).objection("http://crm.example/") is None


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
    ],
)
async def test_however_it_is_written_an_inner_address_is_not_registered(url: str) -> None:
    with pytest.raises(Rejection) as refused:
        await STRICT.examine(url)
    assert (refused.value.code, refused.value.facts) == (
        "webhook_url_refused",
        {"reason": "private_address"},
    )


async def test_a_name_that_leads_nowhere_is_not_registered() -> None:
    with pytest.raises(Rejection) as refused:
        await STRICT.examine("https://nowhere.invalid/")
    assert refused.value.facts == {"reason": "unknown_name"}


def test_the_reference_library_verifies_what_is_signed() -> None:
    event, secret = an_event(subject="x", correlation_id="click-1"), new_secret()
    # Signed now, and not when the module was read: the library refuses what is five minutes old.
    headers = signed_headers(event.id, event.body(), [secret], datetime.now(UTC))
    read = Webhook(secret).verify(event.body().encode(), headers)
    assert read == {
        "specversion": "1.0",
        "id": str(event.id),
        "source": "/courses",
        "type": "courses.seats_released.v1",
        "time": NOW.isoformat(),
        "datacontenttype": "application/json",
        "subject": "x",
        "correlationid": "click-1",
        "data": {"label": 'Éveil "1" 🎻'},
    }
    assert headers["webhook-id"] == str(event.id)


def test_an_attribute_that_is_empty_is_absent() -> None:
    assert {"subject", "correlationid"}.isdisjoint(json.loads(an_event().body()))


def test_each_secret_signs_and_another_one_verifies_nothing() -> None:
    event, secrets = an_event(), [new_secret(), new_secret()]
    headers = signed_headers(event.id, event.body(), secrets, datetime.now(UTC))
    for secret in secrets:
        Webhook(secret).verify(event.body(), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(event.body(), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets[0]).verify(event.body() + " ", headers)


def pauses(jitter: float) -> list[timedelta]:
    found, attempts = [], 1
    while due_at := next_attempt(attempts, NOW, jitter):
        found.append(due_at - NOW)
        attempts += 1
    return found


@given(st.floats(0, 1))
def test_a_delivery_is_tried_less_and_less_often_for_some_three_days(jitter: float) -> None:
    tried = pauses(jitter)
    assert tried == sorted(tried)
    assert timedelta(seconds=5) <= tried[0] <= timedelta(seconds=6)
    assert SUSPENDED_AFTER < sum(tried, timedelta()) < SUSPENDED_AFTER * 1.5
