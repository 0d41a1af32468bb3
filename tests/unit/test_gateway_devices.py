"""A device is named in words that its owner recognises, whatever its browser calls itself."""

import pytest
from gateway.devices import device_in_words

_AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:147.0) Gecko/20100101 Firefox/147.0": (
        "Firefox sur un ordinateur Windows"
    ),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/144.0.0.0 Safari/537.36 Edg/144.0.0.0": "Edge sur un ordinateur Windows",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/26.0 Safari/605.1.15": "Safari sur un Mac",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) CriOS/144.0.0.0 Mobile/15E148 Safari/604.1": "Chrome sur iPhone",
    "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.5 Mobile/15E148 Safari/604.1": "Safari sur iPad",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
    " SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36": (
        "Samsung Internet sur un téléphone Android"
    ),
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/144.0.0.0 Safari/537.36": "Chrome sur une tablette Android",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/144.0.0.0 Safari/537.36": "Chrome sur un Chromebook",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/144.0.0.0 Safari/537.36 OPR/127.0.0.0": "Opera sur un ordinateur Linux",
    "": "Un navigateur sur un appareil inconnu",
    "<script>": "Un navigateur sur un appareil inconnu",
}


@pytest.mark.parametrize(("agent", "words"), _AGENTS.items(), ids=_AGENTS.values())
def test_a_device_is_named_in_words(agent: str, words: str) -> None:
    assert device_in_words(agent) == words
