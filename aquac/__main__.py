"""`python -m aquac`."""

import sys

from .cli import main

sys.exit(main())
