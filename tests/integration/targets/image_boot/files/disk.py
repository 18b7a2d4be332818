"""Make a disk, the file that is named first, whose boot sector prints the text that is named second.

The machine prints it again whenever somebody presses a key on its serial line.
"""

from __future__ import annotations

import os
import pathlib
import sys

path, text = pathlib.Path(sys.argv[1]), sys.argv[2].encode()
# ds = 0; si = 0x7c23: the text; print what si points to, up to a zero byte; wait for a key; begin anew.
code = bytes.fromhex(
    "31c0 8ed8 8ed0 bc007c fc be267c baf803 ac 84c0 7403 ee ebf8 bafd03 ec a801 74fb baf803 ec ebe4"
)
sector = (code + text + b"\0").ljust(510, b"\0") + b"\x55\xaa"
path.write_bytes(sector)
os.truncate(path, 1 << 20)
path.chmod(0o644)
