"""How French names whose something is."""

import pytest
from shared.elision import de


@pytest.mark.parametrize(
    "name",
    ["Émile", "Ana", "Ángel", "Œdipe", "Yves", "Hélène TEST", "Henri-Louis", "INÈS", "Åsa"],
)
def test_de_is_elided_before_what_sounds_as_a_vowel(name: str) -> None:
    assert de(name) == f"d'{name}"


@pytest.mark.parametrize("name", ["Marc", "Yasmine", "Youssef", "Hassan", "Y", "", "l'élève"])
def test_de_stays_whole_before_all_others(name: str) -> None:
    assert de(name) == f"de {name}"
