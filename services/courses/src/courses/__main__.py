"""``python -m courses``: one replica of the service."""

from courses.app import main

main()
