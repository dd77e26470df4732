"""Reads exported events as a receiver would, by the formats' own rules, and knows nothing of how jit writes them.

    check.py syslog|cef|ocsf|cloudevents FILE [SCHEMA]

Prints one JSON object for each event, or fails with what is wrong and where.
"""
import json, re, sys


def fail(where, why):
    sys.exit(f"event {where}: {why}")


# RFC 5424, section 6, by its ABNF.
PRINT = r"[\x21-\x7e]"
HEADER = re.compile(
    rb"<(0|[1-9][0-9]{0,2})>([1-9][0-9]{0,2}) (-|[^ ]+) ([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48}) ([\x21-\x7e]{1,128}) ([\x21-\x7e]{1,32}) "
)
TIMESTAMP = re.compile(rb"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$")
NAME = re.compile(rb'[^\x00-\x20="\]\x7f-\xff]{1,32}')


def structured(data, at, where):
    elements = {}
    if data[at : at + 1] == b"-":
        return elements, at + 1
    while data[at : at + 1] == b"[":
        found = NAME.match(data, at + 1)
        if not found:
            fail(where, "no SD-ID")
        name, at, values = found.group().decode(), found.end(), {}
        if name in elements:
            fail(where, f"the SD-ID {name} twice")
        if "@" in name and not re.fullmatch(r"[^@]+@[0-9]+(\.[0-9]+)*", name):
            fail(where, f"{name} is no SD-ID of an enterprise")
        while data[at : at + 1] == b" ":
            found = NAME.match(data, at + 1)
            if not found or data[found.end() : found.end() + 2] != b'="':
                fail(where, f"no PARAM-NAME at {at}")
            at, value = found.end() + 2, bytearray()
            while data[at : at + 1] != b'"':
                byte = data[at : at + 1]
                if byte == b"":
                    fail(where, "a PARAM-VALUE without an end")
                if byte == b"]":
                    fail(where, "a bare ] in a PARAM-VALUE")
                if byte == b"\\" and data[at + 1 : at + 2] in (b'"', b"\\", b"]"):
                    at, byte = at + 1, data[at + 1 : at + 2]
                elif byte == b"\\":
                    fail(where, "a bare \\ in a PARAM-VALUE")
                value += byte
                at += 1
            if found.group().decode() in values:
                fail(where, f"{found.group()} twice")
            values[found.group().decode()] = value.decode("utf-8")
            at += 1
        if data[at : at + 1] != b"]":
            fail(where, f"an SD-ELEMENT without an end at {at}: {data[at:at+20]}")
        at += 1
        elements[name] = values
    if not elements:
        fail(where, "no STRUCTURED-DATA")
    return elements, at


def syslog(data, where):
    header = HEADER.match(data)
    if not header:
        fail(where, f"no header: {data[:80]}")
    priority, version, time, host, app, process, kind = [part.decode() for part in header.groups()]
    if int(priority) > 191 or version != "1":
        fail(where, f"priority {priority}, version {version}")
    if time != "-" and not TIMESTAMP.match(time.encode()):
        fail(where, f"no TIMESTAMP: {time}")
    elements, at = structured(data, header.end(), where)
    rest = data[at:]
    if rest and rest[:1] != b" ":
        fail(where, f"something other than SP behind the STRUCTURED-DATA: {rest[:40]}")
    message, mark = rest[1:], rest[1:4] == b"\xef\xbb\xbf"
    return {"facility": int(priority) // 8, "severity": int(priority) % 8, "time": time, "host": host, "app": app, "process": process,
            "msgid": kind, "data": elements, "bom": mark, "message": (message[3:] if mark else message).decode("utf-8")}


# CEF, implementation standard: seven header fields, `\\` and `\|` escaped in them; in values `\\`, `\=`, `\n`, `\r`.
def cef(data, where):
    text = data.decode("utf-8")
    at, fields, field = 0, [], ""
    while len(fields) < 7:
        if at >= len(text):
            fail(where, "the header has no seven fields")
        c = text[at]
        if c == "\\":
            if text[at + 1 : at + 2] not in ("\\", "|"):
                fail(where, "a bare \\ in the header")
            field, at = field + text[at + 1], at + 2
        elif c == "|":
            fields, field, at = [*fields, field], "", at + 1
        else:
            field, at = field + c, at + 1
    if fields[0] != "CEF:0" or not re.fullmatch(r"[0-9]|10", fields[6]):
        fail(where, f"{fields[0]}, severity {fields[6]}")
    extension, keys = text[at:], []
    for found in re.finditer(r"(?:^|(?<= ))([A-Za-z0-9_.]+)=", extension):
        keys.append((found.group(1), found.start(), found.end()))
    if not keys or keys[0][1] != 0:
        fail(where, "the extension does not begin with a key")
    values = {}
    for number, (key, _, begin) in enumerate(keys):
        end = keys[number + 1][1] - 1 if number + 1 < len(keys) else len(extension)
        raw, value, spot = extension[begin:end], "", 0
        while spot < len(raw):
            if raw[spot] == "\\":
                meant = {"\\": "\\", "=": "=", "n": "\n", "r": "\r"}.get(raw[spot + 1 : spot + 2])
                if meant is None:
                    fail(where, f"a bare \\ in {key}")
                value, spot = value + meant, spot + 2
            elif raw[spot] in "=\r\n":
                fail(where, f"a bare {raw[spot]!r} in {key}")
            else:
                value, spot = value + raw[spot], spot + 1
        if key in values:
            fail(where, f"{key} twice")
        values[key] = value
    lengths = {"externalId": 40, "msg": 1023, "reason": 1023, "act": 63, "outcome": 63, "suser": 1023, "duser": 1023, "dhost": 1023,
               "cs1": 4000, "cs2": 4000, "cs3": 4000, "cs4": 4000, "cs5": 4000, "cs6": 4000, "cat": 1023}
    for key, most in lengths.items():
        if len(values.get(key, "")) > most:
            fail(where, f"{key} has {len(values[key])} characters, more than {most}")
    for key in list(values):
        label = key + "Label"
        if re.fullmatch(r"(cs|cn|flexString|deviceCustomDate|c6a)[0-9]", key) and label not in values:
            fail(where, f"{key} without {label}")
    return {"header": fields, "values": values}


# OCSF: the reduced schema says what there may be, and what there must be.
def ocsf_value(schema, kind, value, path, where):
    if kind in schema["types"]:
        base = kind
        while "type" in schema["types"][base] and schema["types"][base]["type"] != base:
            entry = schema["types"][base]
            if "regex" in entry and not re.search(entry["regex"], str(value)):
                fail(where, f"{path}: {value!r} does not match {base}")
            if "max_len" in entry and len(value) > entry["max_len"]:
                fail(where, f"{path}: longer than {entry['max_len']}")
            base = entry["type"]
        python = {"string_t": str, "integer_t": int, "long_t": int, "timestamp_t": int, "boolean_t": bool, "float_t": float}.get(base)
        if base != "json_t" and (python is None or not isinstance(value, python) or (python is int and isinstance(value, bool))):
            fail(where, f"{path}: {value!r} is no {kind}")
        return
    if kind == "object":
        if not isinstance(value, dict):
            fail(where, f"{path} is no object")
        return
    if kind not in schema["objects"]:
        fail(where, f"{path}: {kind} is not in the reduced schema")
    ocsf_object(schema, schema["objects"][kind], value, path, where)


def ocsf_object(schema, definition, value, path, where):
    if not isinstance(value, dict):
        fail(where, f"{path} is no object")
    attributes = definition["attributes"]
    for name, attribute in attributes.items():
        if attribute["requirement"] == "required" and name not in value:
            fail(where, f"{path}.{name} is required")
    for rule, names in definition["constraints"].items():
        present = sum(name in value for name in names)
        if (rule == "at_least_one" and present < 1) or (rule == "just_one" and present != 1):
            fail(where, f"{path}: {rule} of {names}")
    for name, inner in value.items():
        if name not in attributes:
            fail(where, f"{path}.{name} is not in the schema")
        attribute = attributes[name]
        for one in inner if attribute.get("array") else [inner]:
            ocsf_value(schema, attribute["type"], one, f"{path}.{name}", where)
            if "enum" in attribute and str(one) not in attribute["enum"]:
                fail(where, f"{path}.{name}: {one} is not in the enum")
        # A sibling has the caption of its number, unless that is 99.
        if name.endswith("_id") and "enum" in attribute:
            sibling = {"activity_id": "activity_name"}.get(name, name[:-3])
            if sibling in value and inner != 99 and value[sibling] != attribute["enum"][str(inner)]:
                fail(where, f"{path}.{sibling}: {value[sibling]!r} is not {attribute['enum'][str(inner)]!r}")


def ocsf(data, where):
    schema = json.load(open(sys.argv[3]))
    event = json.loads(data)
    kind = schema["classes"].get(str(event.get("class_uid")))
    if kind is None:
        fail(where, f"class {event.get('class_uid')}")
    ocsf_object(schema, kind, event, "event", where)
    if event["type_uid"] != event["class_uid"] * 100 + event["activity_id"] or event["category_uid"] != event["class_uid"] // 1000:
        fail(where, f"type_uid {event['type_uid']}, category_uid {event['category_uid']}")
    if (event["class_name"], event["category_name"]) != (kind["caption"], kind["category"]):
        fail(where, f"{event['category_name']}/{event['class_name']} is not {kind['category']}/{kind['caption']}")
    if event["metadata"]["version"] != schema["version"]:
        fail(where, f"version {event['metadata']['version']}")
    return event


# CloudEvents: its JSON schema. A keyword that is not known here fails, so that nothing is passed over.
def check_schema(root, schema, value, path, where):
    for keyword, rule in schema.items():
        if keyword == "$ref":
            check_schema(root, root["definitions"][rule.split("/")[-1]], value, path, where)
        elif keyword == "type":
            kinds = {"object": dict, "string": str, "number": (int, float), "array": list, "boolean": bool, "null": type(None)}
            if not any(isinstance(value, kinds[one]) for one in ([rule] if isinstance(rule, str) else rule)):
                fail(where, f"{path} is no {rule}")
        elif keyword == "required":
            for name in rule:
                if name not in value:
                    fail(where, f"{path}.{name} is required")
        elif keyword == "properties":
            for name, inner in rule.items():
                if name in value:
                    check_schema(root, inner, value[name], f"{path}.{name}", where)
        elif keyword == "minLength":
            if isinstance(value, str) and len(value) < rule:
                fail(where, f"{path} is too short")
        elif keyword == "format":
            forms = {"date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
                     "uri-reference": r"(([A-Za-z][A-Za-z0-9+.-]*):)?[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*", "uri": r"[A-Za-z][A-Za-z0-9+.-]*:.+"}
            if value is not None and not re.fullmatch(forms[rule], value):
                fail(where, f"{path}: {value!r} is no {rule}")
        elif keyword not in ("$schema", "description", "examples", "definitions", "contentEncoding"):
            fail(where, f"the schema has {keyword}, which is not known here")


def cloudevents(data, where):
    schema = json.load(open(sys.argv[3]))
    event = json.loads(data)
    check_schema(schema, schema, event, "event", where)
    for name in event:
        # Section 3.1: attribute names are lower-case letters and digits.
        if not re.fullmatch(r"[a-z0-9]{1,20}", name):
            fail(where, f"{name} is no attribute's name")
    if event["specversion"] != "1.0" or not event["type"].startswith("dev.jit."):
        fail(where, f"{event['specversion']} {event['type']}")
    return event


if __name__ == "__main__":
    reader = {"syslog": syslog, "cef": cef, "ocsf": ocsf, "cloudevents": cloudevents}[sys.argv[1]]
    content = open(sys.argv[2], "rb").read()
    if content and not content.endswith(b"\n"):
        fail("last", "no line end")
    for number, line in enumerate(content.split(b"\n")[:-1]):
        print(json.dumps(reader(line, number)))
