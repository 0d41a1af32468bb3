"""One person's coordinates in a page: as they are recorded, as they are typed, and sent.

The page says which revision it shows: what somebody else changed meanwhile is then told field by
field, beside what was typed, rather than undone unseen.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Self

from pydantic import ValidationError
from shared.contract import Rejection
from shared.contracts.identity import (
    DetailChange,
    Guardian,
    Overtaken,
    Student,
    UpdateGuardian,
    UpdateStudent,
)
from shared.contracts.people import GuardianDetails, StudentDetails

from gateway import formats
from gateway.forms import OTHERWISE_WRONG, WHOLE_FORM, Form
from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.wizard.people_forms import PersonForm, form_of, label, prefilled, read
from gateway.people import Person
from gateway.refusals import detail_of

_REVISION: Final = "revision"
_CHANGED: Final = marked(
    "Modifié entre-temps par %(author)s, le %(instant)s : %(label)s, %(old)s → %(new)s."
)
_YOURSELF: Final = marked("vous-même, dans une autre page")
_SITE: Final = marked("votre conservatoire")
_SHOWN: Final = marked("La nouvelle valeur est affichée.")
_KEPT: Final = marked("Ce que vous avez saisi est gardé : envoyez de nouveau pour l'enregistrer.")
_NOTHING: Final = marked("rien")
_RECORDED_UNFIT: Final = marked(
    "Un renseignement enregistré, que cette page ne montre pas, empêche d'enregistrer : contactez"
    " votre conservatoire."
)
ADDRESS: Final = ("address", "postcode", "city", "home_phone", "mobile", "work_phone")


@dataclass(frozen=True)
class Coordinates:
    """A person's fields in a page. ``seen`` is the revision that what is typed comes from."""

    person: Guardian | Student
    form: PersonForm
    not_asked: frozenset[str]
    seen: int | None

    @classmethod
    def recorded(cls, person: Guardian | Student, not_asked: Collection[str] = ()) -> Self:
        """Show what is recorded, as a person would have typed it; some may be missing."""
        model = form_of(person)
        pairs = {
            name: (prefilled(name, person.details.get(name, "")),) for name in model.model_fields
        }
        form = Form(model, prefix(person), pairs)
        return cls(person, form, frozenset(not_asked), person.revision)

    @classmethod
    def posted(
        cls,
        person: Guardian | Student,
        pairs: Sequence[tuple[str, str]],
        not_asked: Collection[str] = (),
    ) -> Self:
        """Read what was typed, and what is wrong with it."""
        before = cls.recorded(person, not_asked)
        own = prefix(person)
        asked = [
            (f"{own}-{name}", text) for name in before.asked for text in _sent(pairs, own, name)
        ]
        if before.protects_email:
            asked.append((f"{own}-email", before.form.text("email")))
        form = Form.read(form_of(person), asked, own)
        read_so = replace(before, form=form, seen=_revision(pairs, own))
        try:
            read_so.update()
        except ValidationError as unfit:
            return read_so.unfit(unfit)
        return read_so

    @classmethod
    def resumed(
        cls,
        person: Guardian | Student,
        pairs: Sequence[tuple[str, str]],
        not_asked: Collection[str] = (),
    ) -> Self:
        """Show what was typed and not sent, right or wrong, over what is recorded."""
        before = cls.recorded(person, not_asked)
        own = prefix(person)
        texts = {name: sent for name in before.asked if (sent := _sent(pairs, own, name))}
        form = replace(before.form, typed={**before.form.typed, **texts})
        seen = _revision(pairs, own)
        return replace(before, form=form, seen=before.seen if seen is None else seen)

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """The fields that may be typed: neither switched off (S32) nor an account's own e-mail."""
        held = {"email"} if self.protects_email else set()
        return tuple(
            name for name in self.form.model.model_fields if name not in self.not_asked | held
        )

    @property
    def protects_email(self) -> bool:
        """Whether the e-mail is an account's: its new address has to answer first."""
        person = self.person
        return (
            isinstance(person, Guardian)
            and person.account_id is not None
            and bool(person.details.get("email"))
        )

    @cached_property
    def changed(self) -> frozenset[str]:
        """The fields that differ from what the site had (S33): recorded so, or typed just now."""
        before = self.recorded(self.person).form
        just_now = {name for name in self.asked if self.form.text(name) != before.text(name)}
        return frozenset(just_now.union(self.person.changed))

    @property
    def revision_name(self) -> str:
        """What the hidden field with the revision is called."""
        return f"{prefix(self.person)}-{_REVISION}"

    @property
    def entries(self) -> list[tuple[str, str]]:
        """What the form would send as it is shown."""
        typed_texts = [(self.form.name(name), self.form.text(name)) for name in self.asked]
        return [*typed_texts, (self.revision_name, "" if self.seen is None else str(self.seen))]

    def borrowing(self, lender: Mapping[str, str]) -> Self:
        """Fill in another person's address and telephones."""
        lent = {name: (lender[name],) for name in ADDRESS if lender.get(name)}
        return replace(self, form=replace(self.form, typed={**self.form.typed, **lent}))

    def as_typed(self) -> Self:
        """Show what was typed without a word on what is wrong with it."""
        return replace(self, form=replace(self.form, errors={}, value=None))

    def update(self) -> UpdateGuardian | UpdateStudent | None:
        """Give what to ask of identity, nothing where something needs mending.

        What is not asked stays as it is recorded.
        """
        if self.form.value is None:
            return None
        values: dict[str, object] = {
            name: text for name, text in self.person.details.items() if text
        }
        values |= {name: getattr(self.form.value, name) for name in self.asked}
        person, seen = self.person, self.seen
        if isinstance(person, Guardian):
            guardian = GuardianDetails.model_validate(values)
            return UpdateGuardian(guardian_id=person.id, details=guardian, revision=seen)
        student = StudentDetails.model_validate(values)
        return UpdateStudent(student_id=person.id, details=student, revision=seen)

    async def send(self, person: Person) -> Self:
        """Have it recorded; give it back with what to mend, where it is not."""
        update = self.update()
        if update is None:
            return self
        try:
            updated = await _ask(person, update)
        except Rejection as refusal:
            if refusal.code == "details_changed":
                return self._overtaken(refusal)
            if refusal.code == "email_protected":
                return replace(self, form=self.form.refuse(WHOLE_FORM, detail_of(refusal)))
            raise
        return self.recorded(updated, self.not_asked)

    def unfit(self, unfit: ValidationError) -> Self:
        """Say which answers identity's own contract does not take."""
        form = self.form
        for error in unfit.errors():
            name = str(next(iter(error["loc"]), WHOLE_FORM))
            if name not in self.asked:
                form = form.refuse(WHOLE_FORM, _(_RECORDED_UNFIT))
                continue
            title = _(form.model.model_fields[name].title or "")
            text = _(OTHERWISE_WRONG, title=title, Title=title[:1].upper() + title[1:])
            form = form.refuse(name, text)
        return replace(self, form=form)

    def _overtaken(self, refusal: Rejection) -> Self:
        """Say what somebody else changed meanwhile, and keep what was typed over it.

        A field that was left as it was shown takes the other's value. Sent again, all is recorded.
        """
        shown = self.form
        form = shown.refuse(WHOLE_FORM, detail_of(refusal))
        declared = shown.value.model_dump(mode="json") if shown.value else {}
        overtaken = Overtaken.model_validate(refusal.facts)
        for change in overtaken.changes:
            if change.field not in self.asked:
                continue
            is_untouched = (declared[change.field] or "") == change.old_value
            if is_untouched:
                texts = {**form.typed, change.field: (prefilled(change.field, change.new_value),)}
                form = replace(form, typed=texts)
            outcome = _(_SHOWN if is_untouched else _KEPT)
            form = form.refuse(change.field, f"{self._told(change)} {outcome}")
        return replace(self, form=form, seen=overtaken.revision)

    def _told(self, change: DetailChange) -> str:
        """Say who changed a detail, when, from what to what."""
        return _(
            _CHANGED,
            author=_(_YOURSELF) if change.is_own else change.author or _(_SITE),
            instant=formats.instant(change.changed_at),
            label=label(self.person, change.field),
            old=read(change.field, change.old_value) or _(_NOTHING),
            new=read(change.field, change.new_value) or _(_NOTHING),
        )


def prefix(person: Guardian | Student) -> str:
    """Tell the fields of one person from another's, whatever their order in the page."""
    kind = "responsable" if isinstance(person, Guardian) else "eleve"
    return f"{kind}-{person.id}"


async def _ask(person: Person, update: UpdateGuardian | UpdateStudent) -> Guardian | Student:
    if isinstance(update, UpdateGuardian):
        return await person.ask(update)
    return await person.ask(update)


def _sent(pairs: Sequence[tuple[str, str]], own: str, name: str) -> tuple[str, ...]:
    return tuple(text for sent, text in pairs if sent == f"{own}-{name}")


def _revision(pairs: Sequence[tuple[str, str]], own: str) -> int | None:
    """Read which revision the page showed; none where it did not say."""
    sent = next(iter(_sent(pairs, own, _REVISION)), "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else None
