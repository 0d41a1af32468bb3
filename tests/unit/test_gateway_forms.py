from datetime import date
from enum import Enum
from typing import Literal, Self

import pytest
from gateway.forms import WHOLE_FORM, Day, Email, Form, Phone, PostalCode, YesNo
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError


class Situation(Enum):
    MARRIED = "marié(e)"
    SINGLE = "célibataire"


class Guardian(BaseModel):
    title: Literal["Madame", "Monsieur"] = Field(title="votre civilité")
    name: str = Field(title="votre nom", max_length=20)
    born_on: Day | None = Field(None, title="votre date de naissance")
    email: Email | None = Field(None, title="votre e-mail")
    phone: Phone | None = Field(None, title="votre téléphone")
    postal_code: PostalCode | None = Field(None, title="votre code postal")
    image: YesNo | None = Field(None, title="votre réponse sur le droit à l'image")
    situation: Situation | None = Field(None, title="votre situation familiale")
    wishes: list[str] = Field(default_factory=list, title="vos souhaits")


COMPLETE = [("title", "Madame"), ("name", "TEST")]


def read(*posted: tuple[str, str]) -> Form[Guardian]:
    return Form.read(Guardian, [*COMPLETE, *posted])


def test_a_complete_form_becomes_its_model() -> None:
    form = read(("born_on", "29/02/1996"), ("image", "non"), ("wishes", "alto"), ("wishes", "cor"))
    assert form.value == Guardian(
        title="Madame",
        name="TEST",
        born_on=date(1996, 2, 29),
        image=False,
        wishes=["alto", "cor"],
    )
    assert not form.problems


def test_a_mandatory_field_left_blank_is_asked_for_in_its_own_words() -> None:
    form = Form.read(Guardian, [("title", ""), ("name", "   ")])
    assert form.value is None
    assert form.problems == (("title", "Choisissez votre civilité"), ("name", "Indiquez votre nom"))


def test_an_optional_field_left_blank_is_no_error() -> None:
    form = read(("born_on", ""), ("email", " "), ("phone", ""))
    assert form.value is not None
    assert form.value.email is None


def test_a_refused_form_keeps_all_that_was_typed() -> None:
    form = Form.read(Guardian, [("name", " TEST "), ("email", "nicole@"), ("wishes", "alto")])
    assert form.value is None
    assert form.text("name") == " TEST "
    assert form.text("email") == "nicole@"
    assert form.texts("wishes") == ("alto",)
    assert form.text("title") == ""


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("name", "A" * 21, "Votre nom : 20 caractères au plus"),
        ("born_on", "31/02/1996", "Votre date de naissance : écrivez une date qui existe"),
        ("born_on", "février", "Votre date de naissance : écrivez une date qui existe"),
        ("email", "nicole.test", "Votre e-mail : écrivez une adresse complète"),
        ("email", "a b@familles.example", "Votre e-mail : écrivez une adresse complète"),
        ("phone", "06 39 98", "Votre téléphone : écrivez un numéro complet"),
        ("postal_code", "9219", "Votre code postal : écrivez les cinq chiffres"),
        ("title", "Docteur", "Votre civilité : choisissez l'une des réponses proposées"),
        ("image", "peut-être", "Votre réponse sur le droit à l'image : choisissez l'une"),
        ("situation", "autre", "Votre situation familiale : choisissez l'une"),
    ],
)
def test_an_answer_that_means_nothing_is_explained_in_french(
    field: str, typed: str, message: str
) -> None:
    form = read((field, typed))
    assert form.value is None
    assert form.error(field).replace("\u00a0", " ").startswith(message)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0639983923", "06 39 98 39 23"),
        ("06.39.98.39.23", "06 39 98 39 23"),
        ("+33 6 39 98 39 23", "06 39 98 39 23"),
        ("0033639983923", "06 39 98 39 23"),
        ("+32 470 12 34 56", "+32470123456"),
    ],
)
def test_a_telephone_number_is_kept_in_one_form(typed: str, kept: str) -> None:
    value = read(("phone", typed)).value
    assert value is not None
    assert value.phone == kept


@pytest.mark.parametrize("typed", ["1/3/2014", "01.03.2014", "01-03-2014", "2014-03-01"])
def test_a_day_may_be_written_in_several_ways(typed: str) -> None:
    value = read(("born_on", typed)).value
    assert value is not None
    assert value.born_on == date(2014, 3, 1)


@given(
    st.builds(
        Guardian,
        title=st.sampled_from(["Madame", "Monsieur"]),
        name=st.text("abcÉ-' ", min_size=1, max_size=20).map(str.strip).filter(bool),
        born_on=st.none() | st.dates(date(1900, 1, 1)),
        email=st.none() | st.just("n@familles.example"),
        phone=st.none() | st.just("06 39 98 39 23"),
        postal_code=st.none() | st.from_regex(r"[0-9]{5}", fullmatch=True),
        image=st.none() | st.booleans(),
        situation=st.none() | st.sampled_from(Situation),
        wishes=st.lists(st.text("abc", min_size=1)),
    )
)
def test_a_model_written_as_a_form_reads_back_the_same(guardian: Guardian) -> None:
    form = Form.of(guardian, "g")
    posted = [
        (form.name(field), text) for field in Guardian.model_fields for text in form.texts(field)
    ]
    assert Form.read(Guardian, posted, "g").value == guardian


def test_two_people_on_a_page_are_told_apart_by_their_prefix() -> None:
    posted = [("parent-title", "Madame"), ("parent-name", "TEST"), ("child-name", "Émile")]
    parent = Form.read(Guardian, posted, "parent")
    child = Form.read(Guardian, posted, "child")
    assert parent.value is not None
    assert child.text("name") == "Émile"
    assert child.problems == (("child-title", "Choisissez votre civilité"),)


class Reachable(BaseModel):
    home: Phone | None = None
    mobile: Phone | None = None

    @model_validator(mode="after")
    def _one_number_at_least(self) -> Self:
        if self.home is None and self.mobile is None:
            raise ValueError("Indiquez au moins un numéro de téléphone")
        if self.home == self.mobile:
            raise PydanticCustomError("same", "same number twice", {"field": "mobile"})
        return self


def test_a_rule_across_fields_is_explained_for_the_whole_form() -> None:
    form = Form.read(Reachable, [])
    assert form.problems == ((WHOLE_FORM, "Indiquez au moins un numéro de téléphone"),)


def test_a_rule_across_fields_may_point_at_one_of_them() -> None:
    form = Form.read(Reachable, [("home", "0199001010"), ("mobile", "01 99 00 10 10")])
    assert form.error("mobile") == "Cette réponse\u00a0: vérifiez votre réponse"


def test_a_service_may_refuse_a_form_that_was_well_typed() -> None:
    form = read().refuse("name", "Ce nom est déjà pris")
    assert form.value is None
    assert form.text("name") == "TEST"
    assert form.problems == (("name", "Ce nom est déjà pris"),)


def test_a_field_that_the_model_has_not_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="Guardian has no field 'nom'"):
        read().text("nom")
