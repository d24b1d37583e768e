"""Contents of an offline log of Weights & Biases, read back from its .wandb file."""

import json
import struct

from wandb.proto import wandb_internal_pb2

HEADER, BLOCK = 7, 32768  # bytes of the file's head, and of a block of LevelDB's log format
LAST = (1, 4)  # kinds of chunks that end a record: whole, last part


def history(folder):
    """The rows that a run has logged, each as a dictionary, from the one log in its folder."""
    (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    rows = []
    for data in _records(file.read_bytes()):
        record = wandb_internal_pb2.Record.FromString(data)
        if record.HasField("history"):
            rows.append(_row(record.history.item))
    return rows


def _row(items):
    """Items with nested keys as a dictionary of dictionaries."""
    row = {}
    for item in items:
        *path, last = item.nested_key or [item.key]
        place = row
        for key in path:
            place = place.setdefault(key, {})
        place[last] = json.loads(item.value_json)
    return row


def _records(content):
    """The records of a log: chunks of checksum (4 bytes), length (2), kind (1) and data."""
    at, record = HEADER, b""
    while at + 7 <= len(content):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK  # the rest of a block is empty
            continue
        length, kind = struct.unpack("<HB", content[at + 4 : at + 7])
        record += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in LAST:
            yield record
            record = b""
