"""``python -m enrolment``: one replica of the service."""

from enrolment.app import main

main()
