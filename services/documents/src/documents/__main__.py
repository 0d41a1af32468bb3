"""``python -m documents``: one replica; with ``check-store``, its store beside its records."""

import sys

from documents.app import main
from documents.check_store import check_store

match sys.argv[1:]:
    case []:
        main()
    case ["check-store", *words]:
        sys.exit(check_store(words))
    case _:
        sys.exit("usage: python -m documents [check-store [--mend]]")
