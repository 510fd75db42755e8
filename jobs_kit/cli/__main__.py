"""Run `python -m jobs_kit.cli` as jobs-kit."""

import sys

from jobs_kit.cli import main

if __name__ == "__main__":
    sys.exit(main())
