import asyncio

import pytest
from gateway.sites import SiteDirectory
from shared.ask import Services, ServiceUnavailable
from shared.contract import Ask
from shared.contracts.identity import Site

from tests.portal_reader import SITE


class Identity(Services):
    """Answers what it is told to, once it is let to."""

    def __init__(self) -> None:
        super().__init__({})
        self.answer: tuple[Site, ...] | ServiceUnavailable = (SITE,)
        self.asked = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def ask[Answer](self, question: Ask[Answer], *, token: str | None = None) -> Answer:
        del token
        self.asked += 1
        await self.answers.wait()
        if isinstance(self.answer, ServiceUnavailable):
            raise self.answer
        return question.answer.validate_python(self.answer)  # type: ignore[no-any-return]


@pytest.fixture
def identity() -> Identity:
    return Identity()


def grow_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every answer be stale at once."""
    monkeypatch.setattr("gateway.sites._KEPT_SECONDS", 0.0)


async def test_a_list_just_read_is_not_asked_for_again(identity: Identity) -> None:
    directory = SiteDirectory(identity)
    for _ in range(3):
        assert await directory.sites() == (SITE,)
    assert identity.asked == 1


async def test_a_hung_identity_is_asked_once_and_slows_no_other_page(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sites._PATIENCE_SECONDS", 0.01)
    grow_stale(monkeypatch)
    directory = SiteDirectory(identity)
    await directory.sites()
    identity.answers.clear()
    async with asyncio.timeout(5):
        assert [await directory.sites() for _ in range(20)] == [(SITE,)] * 20
    assert identity.asked == 2
    identity.answers.set()


async def test_an_identity_that_is_away_is_left_alone_for_a_while(identity: Identity) -> None:
    identity.answer = ServiceUnavailable("identity")
    directory = SiteDirectory(identity)
    for _ in range(3):
        with pytest.raises(ServiceUnavailable):
            await directory.sites()
        assert await directory.site(SITE.id) is None
    assert identity.asked == 1


async def test_the_list_known_before_is_served_while_identity_is_away(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow_stale(monkeypatch)
    directory = SiteDirectory(identity)
    await directory.sites()
    identity.answer = ServiceUnavailable("identity")
    assert await directory.sites() == (SITE,)
    assert await directory.site(SITE.id) == SITE


async def test_pages_that_have_no_list_yet_wait_for_the_same_answer(identity: Identity) -> None:
    identity.answers.clear()
    directory = SiteDirectory(identity)
    waiting = [asyncio.create_task(directory.sites()) for _ in range(5)]
    await asyncio.sleep(0)
    identity.answers.set()
    assert await asyncio.gather(*waiting) == [(SITE,)] * 5
    assert identity.asked == 1


async def test_an_empty_territory_is_looked_at_again_at_once(identity: Identity) -> None:
    identity.answer = ()
    directory = SiteDirectory(identity)
    assert await directory.sites() == ()
    identity.answer = (SITE,)
    assert await directory.sites() == (SITE,)
