"""Reads ``{"fd", "name", "bounds"?}`` from standard input; writes that file's profile as JSON.

With ``"picture": {"bytes", "edge"}`` it writes the file as a picture within these limits, with
``"compare": {"first"}`` whether the two images in it look the same.
"""

import json
import os
import sys

from gpt_code_ui.reader.limits import confine


def main() -> int:
    """Answer one question."""
    asked = json.loads(sys.stdin.readline())
    confine(asked.get("bounds"))
    from gpt_code_ui.reader.figures import compared
    from gpt_code_ui.reader.kinds import look
    from gpt_code_ui.reader.pictures import fitted

    limits, pair = asked.get("picture"), asked.get("compare")
    with os.fdopen(int(asked["fd"]), "rb") as file:
        if pair is not None:
            answer = json.dumps(compared(file, int(pair["first"])))
        elif limits is not None:
            answer = json.dumps(fitted(file, int(limits["bytes"]), int(limits["edge"])))
        else:
            answer = json.dumps(look(file, str(asked["name"])))
    sys.stdout.write(answer + "\n")
    sys.stdout.flush()
    # Without taking anything apart: what was made of a hostile file may take long to go.
    os._exit(0)


if __name__ == "__main__":
    main()
