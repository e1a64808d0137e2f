"""Reads a JSON list of Slack messages on stdin and lets slack_sdk validate their blocks.

Exits 0 when all are valid, 1 with the reason when one is not, 3 when slack_sdk is not installed.
"""

import json
import sys

try:
    from slack_sdk.models.blocks import Block
except ImportError:
    sys.exit(3)

for number, message in enumerate(json.load(sys.stdin)):
    blocks = message["blocks"]
    if not 1 <= len(blocks) <= 50:
        sys.exit(f"message {number}: {len(blocks)} blocks")
    for raw in blocks:
        block = Block.parse(raw)
        if block is None or type(block) is Block:
            sys.exit(f"message {number}: slack_sdk knows no block {raw}")
        try:
            block.validate_json()
        except Exception as error:  # noqa: BLE001 (its errors have no common type)
            sys.exit(f"message {number}: {error}: {raw}")
