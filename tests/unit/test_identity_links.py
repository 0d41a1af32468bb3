"""Mailed links: random, hashed, and not too many of them."""

from datetime import UTC, datetime, timedelta

from identity.links import REQUESTS_AT_MOST, REQUESTS_WITHIN, Requests, new_token, token_hash

NOW = datetime(2027, 5, 3, 9, 0, tzinfo=UTC)


def test_a_token_has_256_bits_and_no_twin() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) == 43
    assert all(token.replace("-", "").replace("_", "").isalnum() for token in tokens)


def test_what_is_stored_of_a_token_does_not_give_it_back() -> None:
    token = new_token()
    assert token.encode() not in token_hash(token)
    assert len(token_hash(token)) == 32


def test_three_links_an_hour_are_mailed_and_no_more() -> None:
    asked = Requests(0, NOW)
    for minute in range(REQUESTS_AT_MOST):
        counted = asked.with_one_more(NOW + timedelta(minutes=minute))
        assert counted is not None
        asked = counted
    assert asked.with_one_more(NOW + REQUESTS_WITHIN - timedelta(seconds=1)) is None
    assert asked.with_one_more(NOW + REQUESTS_WITHIN) == Requests(1, NOW + REQUESTS_WITHIN)
