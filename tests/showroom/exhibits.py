"""Every page of the portal in every state, by name."""

from typing import Final

from tests.showroom.amended_pages import AMENDED_PAGES
from tests.showroom.failure_pages import FAILURE_PAGES
from tests.showroom.portal_pages import PORTAL_PAGES
from tests.showroom.public_pages import PUBLIC_PAGES
from tests.showroom.room import Exhibit
from tests.showroom.wizard_pages import WIZARD_PAGES

EXHIBITS: Final[dict[str, Exhibit]] = {
    exhibit.name: exhibit
    for exhibit in (
        *PUBLIC_PAGES,
        *PORTAL_PAGES,
        *WIZARD_PAGES,
        *AMENDED_PAGES,
        *FAILURE_PAGES,
    )
}
