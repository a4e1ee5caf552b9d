"""Whether openapi.json is a sound OpenAPI 3.1 document: document_check.py OPENAPI.JSON VERSION SOURCES

Checks what can be checked without the server: references resolve, ids are unique, parameters of a path are declared,
examples satisfy their schemas, every code stands under the status that the sources give it, and the operations are
the routes of the sources. Standard library only.
"""

import datetime
import json
import os
import re
import sys

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# DESIGN 7: a show that a reserve names and that does not exist is a bad request; elsewhere it is not found.
OTHER_STATUSES = {("unknown_show", 400)}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


class Checker:
    def __init__(self, document):
        self.document = document
        self.checks = 0
        self.mistakes = []

    def check(self, condition, what):
        self.checks += 1
        if not condition:
            self.mistakes.append(what)
        return bool(condition)

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def references(self, node, where="#"):
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "$ref":
                    try:
                        self.resolve(node)
                        self.check(True, "")
                    except (KeyError, TypeError):
                        self.check(False, f"{where}: {value} leads nowhere")
                else:
                    self.references(value, f"{where}/{key}")
        elif isinstance(node, list):
            for index, value in enumerate(node):
                self.references(value, f"{where}/{index}")

    def matches(self, value, schema):
        """The mistakes of a value against the part of JSON Schema that the document uses."""
        schema = self.resolve(schema)
        if "oneOf" in schema and sum(not self.matches(value, s) for s in schema["oneOf"]) != 1:
            return ["not exactly one of the alternatives fits"]
        mistakes = [m for s in schema.get("allOf", ()) for m in self.matches(value, s)]
        if "type" in schema:
            types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            if not any(self.has_type(value, t) for t in types):
                return [f"{value!r} is no {schema['type']}"]
        if "enum" in schema and value not in schema["enum"]:
            mistakes.append(f"{value!r} is none of the enum")
        if isinstance(value, dict):
            mistakes += self.object_mistakes(value, schema)
        if isinstance(value, list):
            mistakes += [m for item in value for m in self.matches(item, schema.get("items", {}))]
        if isinstance(value, str) and schema.get("format") == "date-time":
            if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value):
                mistakes.append(f"{value!r} is no time with milliseconds in UTC")
        if isinstance(value, str) and schema.get("format") == "date":
            datetime.date.fromisoformat(value)
        return mistakes

    @staticmethod
    def has_type(value, name):
        if name == "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        if name == "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        return isinstance(value, TYPES[name])

    def object_mistakes(self, value, schema):
        properties = schema.get("properties", {})
        mistakes = [f"{name} is missing" for name in schema.get("required", ()) if name not in value]
        for name, item in value.items():
            if name in properties:
                mistakes += [f"{name}: {m}" for m in self.matches(item, properties[name])]
            elif schema.get("additionalProperties") is False:
                mistakes.append(f"{name} is not declared")
        return mistakes

    def examples(self, schema, example, where):
        mistakes = self.matches(example, schema)
        self.check(not mistakes, f"{where}: the example breaks its schema: {mistakes}")


def check_schema(checker, name, schema):
    for example in schema.get("examples", ()):
        checker.examples(schema, example, f"schema {name}")
    for required in schema.get("required", ()):
        checker.check(required in schema.get("properties", {}), f"schema {name}: requires the undeclared {required}")


def check_operation(checker, path, method, operation, statuses):
    where = f"{method.upper()} {path}"
    parameters = [checker.resolve(p) for p in operation.get("parameters", ())]
    in_path = {p["name"] for p in parameters if p["in"] == "path"}
    checker.check(in_path == set(re.findall(r"{(\w+)}", path)), f"{where}: declares {in_path}")
    checker.check(all(p["required"] for p in parameters if p["in"] == "path"), f"{where}: path parameters are required")
    checker.check(operation.get("summary") and operation.get("tags"), f"{where}: has no summary or tag")
    checker.check("security" in operation, f"{where}: does not say who may ask")
    checker.check(any(status.startswith("2") for status in operation["responses"]), f"{where}: never succeeds")
    codes = checker.document["components"]["schemas"]["ProblemCode"]["enum"]
    for status, response in operation["responses"].items():
        checker.check(response.get("description"), f"{where} {status}: has no description")
        if status >= "400":
            checker.check("application/problem+json" in response["content"], f"{where} {status}: is no problem")
            checker.check(response.get("x-usher-codes"), f"{where} {status}: names no code")
        for code in response.get("x-usher-codes", ()):
            checker.check(code in codes, f"{where} {status}: {code} is no ProblemCode")
            is_right = statuses.get(code, int(status)) == int(status) or (code, int(status)) in OTHER_STATUSES
            checker.check(is_right, f"{where}: {code} is not a {status}")
        for content in response.get("content", {}).values():
            if "example" in content:
                checker.examples(content["schema"], content["example"], f"{where} {status}")


def read_source(name):
    with open(os.path.join(sys.argv[3], name), encoding="utf-8") as file:
        return file.read()


def codes_of(name):
    """Code to status, from a table of {status, "code", "title"} in a source."""
    return {code: int(status) for status, code in re.findall(r'{(\d{3}), "([a-z_]+)", "[^"]', read_source(name))}


def check_routes(checker, described):
    text = read_source("server/api/routes.hpp")
    pairs = re.findall(r'{http::Method::(\w+?)_?, "(/[^"]*)"', text)
    routed = {(method, re.sub(r"{\w+}", "{}", path)) for method, path in pairs}
    for method, path in sorted(routed ^ described):
        where = "described and not routed" if (method, path) in described else "routed and not described"
        checker.check(False, f"{method.upper()} {path}: {where}")
    checker.check(len(routed) > 20, "the routes were found")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        checker = Checker(json.load(file))
    statuses = codes_of("include/usher/refusal.hpp")
    document = checker.document
    checker.check(document["openapi"].startswith("3.1."), "is OpenAPI 3.1")
    checker.check(document["info"]["version"] == sys.argv[2], f"the version is {sys.argv[2]}")
    checker.references(document)
    for name, schema in document["components"]["schemas"].items():
        check_schema(checker, name, schema)
    operations = [(p, m, o) for p, item in document["paths"].items() for m, o in item.items() if m in METHODS]
    ids = [operation["operationId"] for _, _, operation in operations]
    checker.check(len(ids) == len(set(ids)), "operation ids are unique")
    for path, method, operation in operations:
        check_operation(checker, path, method, operation, statuses)
    check_routes(checker, {(m, re.sub(r"{\w+}", "{}", p)) for p, m, _ in operations})
    for code in codes_of("server/http/head.cpp"):
        checker.check(code in document["components"]["schemas"]["ProblemCode"]["enum"], f"{code} is no ProblemCode")
    used = {c for _, _, o in operations for r in o["responses"].values() for c in r.get("x-usher-codes", ())}
    for code in statuses:
        checker.check(code in used, f"no operation can answer {code}")
    for mistake in checker.mistakes:
        print("FAILED:", mistake)
    print(f"{checker.checks - len(checker.mistakes)} checks passed, {len(checker.mistakes)} failed")
    return 1 if checker.mistakes or checker.checks < 500 else 0


if __name__ == "__main__":
    sys.exit(main())
