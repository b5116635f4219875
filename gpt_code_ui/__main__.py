"""``python -m gpt_code_ui`` is ``gptcode``."""

import sys

from gpt_code_ui.cli import main

if __name__ == "__main__":
    sys.exit(main())
