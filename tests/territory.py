"""The five services as their code describes them, for the tests that look at all of them."""

import courses.app
import courses.tables
import documents.app
import documents.tables
import enrolment.app
import enrolment.tables
import identity.app
import identity.tables
import notifications.app
import notifications.tables
from shared.service import Service

SERVICES: tuple[Service, ...] = (
    courses.app.service,
    documents.app.service,
    enrolment.app.service,
    identity.app.service,
    notifications.app.service,
)

METADATA = {
    "courses": courses.tables.metadata,
    "documents": documents.tables.metadata,
    "enrolment": enrolment.tables.metadata,
    "identity": identity.tables.metadata,
    "notifications": notifications.tables.metadata,
}
