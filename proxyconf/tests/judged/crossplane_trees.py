"""Reads a JSON list of paths on stdin, and writes what crossplane reads in each: a JSON list of lists of directives.

Exits 3 when crossplane is not installed, 1 with the reason when it cannot read a file.
"""

import json
import sys

try:
    import crossplane
except ImportError:
    sys.exit(3)


def directives(block):
    return [
        {
            "directive": one["directive"],
            "args": one["args"],
            "block": directives(one["block"]) if "block" in one else None,
        }
        for one in block
    ]


def tree(path):
    read = crossplane.parse(path, single=True, check_ctx=False, check_args=False)
    if read["errors"]:
        sys.exit(f"{path}: {read['errors']}")
    return directives(read["config"][0]["parsed"])


json.dump([tree(path) for path in json.load(sys.stdin)], sys.stdout)
