"""Holds an OSCAL document of jit against the rules of NIST's assessment-results schema 1.2 that it touches."""

import json
import re
import sys

UUID = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[45][0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}"
TOKEN = r"[^\W\d][\w.\-]*"
TEXT = r"\S(.*\S)?"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
URI = r"[a-zA-Z][a-zA-Z0-9+\-.]+:.+"
REFERENCE = "#" + UUID
LINE = r"[^\n]+"
MANY = r"(.|\n)+"

# Field → whether it must be there, and its form: a pattern, an object's fields, or a list of either.
PROPERTY = {"name": (True, TOKEN), "ns": (False, URI), "value": (True, TEXT)}
SELECTION = {"description": (False, MANY),
             "include-controls": (False, [{"control-id": (True, TOKEN), "statement-ids": (False, [TOKEN])}])}
EVIDENCE = {"href": (False, REFERENCE), "description": (True, MANY)}
OBSERVATION = {"uuid": (True, UUID), "title": (False, LINE), "description": (True, MANY), "props": (False, [PROPERTY]),
               "methods": (True, ["EXAMINE|INTERVIEW|TEST|UNKNOWN"]), "types": (False, [TOKEN]),
               "relevant-evidence": (False, [EVIDENCE]), "collected": (True, TIME)}
RESULT = {"uuid": (True, UUID), "title": (True, LINE), "description": (True, MANY), "start": (True, TIME),
          "end": (False, TIME), "props": (False, [PROPERTY]),
          "reviewed-controls": (True, {"control-selections": (True, [SELECTION])}),
          "observations": (False, [OBSERVATION])}
METADATA = {"title": (True, LINE), "last-modified": (True, TIME), "version": (True, TEXT), "oscal-version": (True, TEXT),
            "props": (False, [PROPERTY]), "remarks": (False, MANY)}
RESOURCE = {"uuid": (True, UUID), "title": (False, LINE), "description": (False, MANY)}
DOCUMENT = {"assessment-results": (True, {
    "uuid": (True, UUID), "metadata": (True, METADATA), "import-ap": (True, {"href": (True, REFERENCE)}),
    "results": (True, [RESULT]), "back-matter": (False, {"resources": (False, [RESOURCE])})})}


def check(value, form, where, uuids, references):
    if isinstance(form, str):
        assert isinstance(value, str) and re.fullmatch(form, value), f"{where}: {value!r} is not {form}"
        if form == REFERENCE:
            references.append(value[1:])
        if form == UUID:
            uuids.append(value)
    elif isinstance(form, list):
        assert isinstance(value, list) and value, f"{where}: an array is not empty"
        for number, item in enumerate(value):
            check(item, form[0], f"{where}[{number}]", uuids, references)
    else:
        unknown = set(value) - set(form)
        assert not unknown, f"{where}: {unknown}"
        for name, (needed, inner) in form.items():
            assert name in value or not needed, f"{where}: {name} is missing"
            if name in value:
                check(value[name], inner, f"{where}.{name}", uuids, references)


uuids, references = [], []
check(json.load(open(sys.argv[1], encoding="utf-8")), DOCUMENT, "", uuids, references)
assert len(set(uuids)) == len(uuids), "a UUID twice"
assert set(references) <= set(uuids), "a reference to nothing"
print(json.dumps(uuids))
