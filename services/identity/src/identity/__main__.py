"""``python -m identity`` runs one replica."""

from identity.app import main

main()
