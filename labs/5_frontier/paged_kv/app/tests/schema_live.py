#!/usr/bin/env python3
"""schema_live.py -- JSON schemas beside the package `jsonschema`, where Python has it: whatever our grammar writes, it
finds valid. WRITE names the program write_json."""
import json
import os
import subprocess
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("skipped: Python has no jsonschema")
    sys.exit(77)

STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
SCHEMAS = [
    {}, True, {"type": "object"}, {"type": "array"}, STRING, INTEGER, NUMBER, {"type": ["boolean", "null"]},
    {"type": "string", "minLength": 1, "maxLength": 5}, {"type": "integer", "minimum": -7, "maximum": 1234},
    {"type": "integer", "exclusiveMinimum": 99, "exclusiveMaximum": 10001}, {"type": "number", "minimum": 0},
    {"enum": ["a", "\"b\"\n", 1.5, None, [1, {"x": []}], "é🙂"]}, {"const": {"a": {"b": "c"}}},
    {"type": "array", "items": INTEGER, "minItems": 1, "maxItems": 3},
    {"type": "array", "prefixItems": [STRING, INTEGER], "items": {"type": "null"}, "minItems": 1},
    {"type": "object", "properties": {"name": STRING, "age": INTEGER}, "required": ["name"],
     "additionalProperties": False},
    {"type": "object", "properties": {"a": INTEGER, "ab": INTEGER, "é\"": {}}, "additionalProperties": STRING},
    {"type": "object", "properties": {"kind": {"anyOf": [{"const": "x"}, {"type": "array", "items": {"$ref": "#"}}]}},
     "required": ["kind"]},
    # As pydantic writes a class with a class in it.
    {"$defs": {"Step": {"properties": {"explanation": {"title": "Explanation", "type": "string"},
                                       "output": {"title": "Output", "type": "string", "default": ""}},
                        "required": ["explanation"], "title": "Step", "type": "object"},
               "Level": {"enum": ["low", "high"], "title": "Level", "type": "string"}},
     "properties": {"steps": {"items": {"$ref": "#/$defs/Step"}, "title": "Steps", "type": "array"},
                    "level": {"$ref": "#/$defs/Level"},
                    "score": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": None, "title": "Score"},
                    "tags": {"additionalProperties": {"type": "integer"}, "title": "Tags", "type": "object"}},
     "required": ["steps", "level"], "title": "Answer", "type": "object"},
    {"$defs": {"node": {"type": "object", "properties": {"value": INTEGER, "next": {"oneOf": [
        {"$ref": "#/$defs/node"}, {"type": "null"}]}}, "required": ["value", "next"]}}, "$ref": "#/$defs/node"},
]


def main():
    given = "".join(json.dumps(schema) + "\n" for schema in SCHEMAS)
    got = subprocess.run([os.environ["WRITE"]], input=given.encode(), stdout=subprocess.PIPE, check=True, timeout=100)
    texts = bad = 0
    for schema, line in zip(SCHEMAS, got.stdout.decode().split("\n")[:-1], strict=True):
        validator = Draft202012Validator(schema)
        written = json.loads(line)
        if not written:
            print(f"nothing is written by {json.dumps(schema)}")
            bad += 1
        for text in written or []:
            texts += 1
            try:
                value = json.loads(text)
                problem = next(iter(validator.iter_errors(value)), None)
            except ValueError as why:
                problem = why
            if problem is not None:
                bad += 1
                print(f"{json.dumps(schema)}\n{text}\n{problem}")
    print(f"{texts} texts of {len(SCHEMAS)} schemas, {bad} bad")
    return 1 if bad or texts < 300 else 0


sys.exit(main())
