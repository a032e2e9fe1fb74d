"""``python -m mt_remote.cli``, where the command ``mt-remote`` is not installed."""

import sys

from mt_remote.cli import main

sys.exit(main())
