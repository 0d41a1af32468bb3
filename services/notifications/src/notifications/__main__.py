"""``python -m notifications``."""

from notifications.app import main

main()
