#!/usr/bin/env python3
"""Makes ledgers.json.gz: the golden ledgers of tests/golden as Git objects, with the verdict that their tables demand.

    python3 tests/vectors/fold/make.py

runs `cargo test --test golden` with GOLDEN_DUMP set and packs what it writes (tests/golden/dump.rs). An object that is
text stands there as it is, one that is not (a tree) in base64. The same tables give the same bytes.
"""

import base64
import gzip
import json
import os
import pathlib
import re
import subprocess
import tempfile

here = pathlib.Path(__file__).resolve().parent
with tempfile.TemporaryDirectory() as folder:
    environment = dict(os.environ, GOLDEN_DUMP=folder)
    subprocess.run(["cargo", "test", "--test", "golden"], cwd=here.parents[2], env=environment, check=True)
    objects, ledgers, seen = {}, [], {}
    number = lambda path: int(re.search(r"-(\d+)\.json$", path.name).group(1))
    for path in sorted(pathlib.Path(folder).iterdir(), key=number):
        row = json.loads(path.read_text())
        for id, kind, data in row.pop("objects"):
            data = base64.b64decode(data)
            try:
                objects[id] = [kind, "text", data.decode()]
            except UnicodeDecodeError:
                objects[id] = [kind, "base64", base64.b64encode(data).decode()]
        # A test that asks more than once has a row for each time.
        seen[row["name"]] = seen.get(row["name"], 0) + 1
        if seen[row["name"]] > 1:
            row["name"] += f" ({seen[row['name']]})"
        ledgers.append(row)
    ledgers.sort(key=lambda row: row["name"])
    text = json.dumps({"ledgers": ledgers, "objects": dict(sorted(objects.items()))}, separators=(",", ":"))
    (here / "ledgers.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(len(ledgers), "ledgers,", len(objects), "objects")
