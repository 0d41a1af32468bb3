"""``python -m gateway``: one replica."""

from gateway.app import main

main()
