"""Run one replica of documents."""

from documents.app import main

main()
