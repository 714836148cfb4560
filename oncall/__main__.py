"""`python -m oncall runs`, and so on; `python -m oncall --help` lists the commands."""

import sys

from oncall.command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
