"""``python -m courses``: one replica of the service; with ``check-seats``, a look at its books."""

import sys

from courses.app import main
from courses.reckoning import check_seats

match sys.argv[1:]:
    case []:
        main()
    case ["check-seats", *words]:
        sys.exit(check_seats(words))
    case _:
        sys.exit("usage: python -m courses [check-seats [--rebuild]]")
