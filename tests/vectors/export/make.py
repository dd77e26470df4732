#!/usr/bin/env python3
"""Reduces the published schemas to what the exported events use, so that the tests need no network.

    make.py OCSF_REPOSITORY CLOUDEVENTS_REPOSITORY

The repositories are clones of github.com/ocsf/ocsf-schema (Apache-2.0; tag 1.8.0) and github.com/cloudevents/spec
(Apache-2.0; tag v1.0.2). Of OCSF, the classes that jit emits are resolved (`extends`, `$include` of profiles left out:
none is applied) with the objects that they reach in two steps: for each attribute its type, requirement, whether it is an array,
and its enum; of the types their regular expressions. Descriptions are dropped. The CloudEvents schema is taken as it is.
"""
import json, os, subprocess, sys

OCSF, TAG = sys.argv[1], "1.8.0"
CLASSES = ["findings/compliance_finding", "iam/authentication", "iam/entity_management", "iam/user_access"]
HERE = os.path.dirname(os.path.abspath(__file__))


def show(repository, tag, path):
    return subprocess.run(["git", "-C", repository, "show", f"{tag}:{path}"], check=True, capture_output=True, text=True).stdout


def ocsf(path):
    return json.loads(show(OCSF, TAG, path))


dictionary = ocsf("dictionary.json")
categories = ocsf("categories.json")["attributes"]
names = subprocess.run(["git", "-C", OCSF, "ls-tree", "-r", "--name-only", TAG], check=True, capture_output=True, text=True).stdout.split()
BY_NAME = {}
for path in names:
    if path.startswith(("events/", "objects/")) and path.endswith(".json"):
        BY_NAME[(path.split("/")[0], os.path.basename(path)[:-5])] = path


def resolve(folder, name):
    """The definition with everything that it inherits, the nearer one winning."""
    own = ocsf(BY_NAME[(folder, name)])
    if "extends" in own:
        base = resolve(folder, own["extends"])
    else:
        base = {"attributes": {}, "constraints": {}}
    attributes = {key: dict(value) for key, value in base["attributes"].items()}
    for key, value in own["attributes"].items():
        if key == "$include":
            continue
        merged = attributes.setdefault(key, {})
        enum = {**merged.get("enum", {}), **value.get("enum", {})}
        merged.update({k: v for k, v in value.items() if v is not None})
        if enum:
            merged["enum"] = enum
    return {**base, **own, "attributes": attributes, "constraints": own.get("constraints", base.get("constraints", {}))}


def reduced(attributes):
    out = {}
    for key, value in sorted(attributes.items()):
        general = dictionary["attributes"].get(key, {})
        enum = {**general.get("enum", {}), **value.get("enum", {})}
        attribute = {"type": value.get("type") or general["type"], "requirement": value.get("requirement", "optional")}
        if general.get("is_array") or value.get("is_array"):
            attribute["array"] = True
        if enum:
            attribute["enum"] = {number: entry["caption"] for number, entry in enum.items()}
        out[key] = attribute
    return out


classes, objects, wanted = {}, {}, []
for path in CLASSES:
    definition = resolve("events", path.split("/")[1])
    category = definition["category"]
    uid = categories[category]["uid"] * 1000 + definition["uid"]
    # What the schema's own compiler fills in.
    definition["attributes"]["category_uid"]["enum"] = {str(categories[category]["uid"]): {"caption": categories[category]["caption"]}}
    definition["attributes"]["class_uid"]["enum"] = {str(uid): {"caption": definition["caption"]}}
    classes[str(uid)] = {
        "caption": definition["caption"],
        "category": categories[category]["caption"],
        "constraints": definition.get("constraints", {}),
        "attributes": reduced(definition["attributes"]),
    }
types = dictionary["types"]["attributes"]
for step in range(3):
    wanted = {a["type"] for d in [*classes.values(), *objects.values()] for a in d["attributes"].values()}
    for name in sorted(wanted - set(types) - set(objects)):
        if ("objects", name) in BY_NAME:
            definition = resolve("objects", name)
            objects[name] = {"constraints": definition.get("constraints") or {}, "attributes": reduced(definition["attributes"])}
# Only what an event of ours can reach: keeps the file small, and what is unknown fails the test.
KEEP = {"metadata", "product", "actor", "user", "account", "managed_entity", "resource_details", "session", "service",
        "network_endpoint", "compliance", "finding_info", "object"}
objects = {name: value for name, value in objects.items() if name in KEEP}
out = {
    "source": f"github.com/ocsf/ocsf-schema, tag {TAG}, Apache-2.0; reduced by make.py",
    "version": json.loads(show(OCSF, TAG, "version.json"))["version"],
    "types": {name: {k: v for k, v in value.items() if k in ("regex", "max_len", "type", "range")} for name, value in types.items()},
    "classes": classes,
    "objects": objects,
}
with open(os.path.join(HERE, f"ocsf-{TAG}.json"), "w") as file:
    json.dump(out, file, indent=1, sort_keys=True)
    file.write("\n")
with open(os.path.join(HERE, "cloudevents-1.0.2.json"), "w") as file:
    file.write(show(sys.argv[2], "v1.0.2", "cloudevents/formats/cloudevents.json").rstrip("\n") + "\n")
