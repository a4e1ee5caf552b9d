"""The contract: what /openapi.json says, held beside what the server answers.

Contract.ask() makes a request and judges the answer: its status, content type, header fields and body must be as documented for
that operation, and a problem's code one of those listed. What was seen is remembered, so that at the end missing() can tell what
is documented and was never answered.
"""

import re

import harness
import jsonschema
from harness import check

# Conditions of the whole server, answered alike by every operation that lists them: seen once is enough.
SERVER_WIDE = {"mailbox_full", "log_behind", "disk_nearly_full", "draining", "overloaded", "not_ready", "user_rate_limited",
               "address_rate_limited"}


class Contract:
    def __init__(self, document):
        self.document = document
        self.operations = []  # (method, template, pattern, operation)
        for template, item in document["paths"].items():
            pattern = re.compile("^" + re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template)) + "$")
            for method, operation in item.items():
                if method in ("get", "post", "put", "delete", "patch"):
                    self.operations.append((method.upper(), template, pattern, operation))
        # fixed paths before those with a parameter, as a router does
        self.operations.sort(key=lambda each: each[1].count("{"))
        self.seen = set()  # (method, template, status, code or "")

    def find(self, method, path):
        for known, template, pattern, operation in self.operations:
            if known == method and pattern.match(path):
                return template, operation
        return None, None

    def judge(self, method, path, answer):
        """`answer` is (status, headers, body). Returns the body."""
        status, headers, body = answer
        template, operation = self.find(method, path.split("?")[0])
        what = f"{method} {path} -> {status}"
        if not check(operation is not None, f"{what}: not documented"):
            return body
        response = operation["responses"].get(str(status))
        if not check(response is not None, f"{what}: this status is not documented for {method} {template}: {body}"):
            return body
        code = body.get("code", "") if status >= 400 and isinstance(body, dict) else ""
        self.seen.add((method, template, status, code))
        if status >= 400:
            check(code in response.get("x-usher-codes", []), f"{what}: code {code!r} is not documented for {method} {template}")
            check(body.get("status") == status, f"{what}: the problem says status {body.get('status')}")
        for name in response.get("headers", {}):
            check(headers.get(name) is not None, f"{what}: no header field {name}")
        self.judge_body(what, response.get("content", {}), headers.get("Content-Type", ""), body)
        return body

    def judge_body(self, what, content, kind, body):
        if not content:
            check(body in (b"", "", None), f"{what}: a body that is not documented: {body!r}")
            return
        media = content.get(kind) or content.get(kind.split(";")[0])
        if not check(media is not None, f"{what}: content type {kind!r}, documented: {list(content)}"):
            return
        if "json" not in kind or "ndjson" in kind:
            return
        # references are to "#/components/...", so that stands beside them
        schema = {**media["schema"], "components": self.document["components"]}
        errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
                  for error in jsonschema.Draft202012Validator(schema).iter_errors(body)]
        check(not errors, f"{what}: the body is not as documented: {errors[:3]}")

    def documented(self):
        """All (method, template, status, code) that are promised; success has the code ""."""
        for method, template, _, operation in self.operations:
            for status, response in operation["responses"].items():
                for code in response.get("x-usher-codes", [""]):
                    yield method, template, int(status), code

    def missing(self):
        """What is documented and was never answered. Conditions of the whole server count once their status was met."""
        statuses = {(method, template, status) for method, template, status, _ in self.seen}
        codes = {code for *_, code in self.seen}
        for method, template, status, code in self.documented():
            if (method, template, status, code) in self.seen:
                continue
            if code in SERVER_WIDE and code in codes and (method, template, status) in statuses:
                continue
            yield method, template, status, code


class Party:
    """Somebody who asks: a contract, a server, and a token."""

    def __init__(self, contract, server, bearer=None):
        self.contract = contract
        self.server = server
        self.bearer = bearer
        self.client = harness.Client(server.port)

    def ask(self, method, path, body=None, expect=None, headers=None, bearer=...):
        """Returns (status, headers, body). `expect` is a status, or a code of a problem."""
        answer = self.client.request(method, path, body, self.bearer if bearer is ... else bearer, headers)
        got = self.contract.judge(method, path, answer)
        if isinstance(expect, int):
            check(answer[0] == expect, f"{method} {path}: status {answer[0]}, not {expect}: {str(got)[:300]}")
        elif expect is not None:
            code = got.get("code") if isinstance(got, dict) else None
            check(code == expect, f"{method} {path}: {answer[0]} {code}, not {expect}: {str(got)[:300]}")
        return answer
