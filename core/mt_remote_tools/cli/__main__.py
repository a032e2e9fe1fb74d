"""``python -m mt_remote_tools.cli``, where the command ``mt-remote`` is not installed."""

import sys

from mt_remote_tools.cli import main

sys.exit(main())
