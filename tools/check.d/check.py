"""The rules that sources are held to (tools/check runs this). Each finding is one line: file:line: rule: what.

Usage: check.py FOLDER. Reads the files that git knows or would add; without git, all files below the folder.
"""

import os
import re
import subprocess
import sys

LINES_MAX = 70

# Who may include what (DESIGN 2). First matching folder counts. `own` are the rooms of this project by first path
# component; `libraries` are the third-party headers by prefix. Standard and POSIX headers are free, except in include/.
DIRECTIONS = [
    ("include/", {"usher"}, ()),
    ("engine/", {"usher", "engine"}, ("boost/container", "boost/unordered", "boost/intrusive", "boost/config")),
    ("wal/rocksdb_", {"usher", "wal"}, ("rocksdb/", "openssl/")),
    ("wal/", {"usher", "wal"}, ("openssl/",)),
    ("server/json/", {"usher", "server"}, ("simdjson", "fmt/")),
    ("server/", {"usher", "engine", "wal", "server"},
     ("boost/", "fmt/", "spdlog/", "openssl/", "curl/", "date/", "toml++/", "CLI/", "prometheus/", "xapian", "unicode/",
      "qrcodegen", "hpdf")),
]
STANDARD_ONLY = "include/"
LIBRARIES = re.compile(r"^(boost|rocksdb|openssl|fmt|spdlog|curl|date|toml\+\+|CLI|prometheus|unicode)/|^(simdjson|xapian|doctest)")
POSIX = re.compile(r"^(sys|arpa|netinet|linux)/|^[a-z0-9_]+\.h$")
CLOCKS = re.compile(r"\b(steady_clock|system_clock|high_resolution_clock|clock_gettime|gettimeofday)\b")

# Written in halves, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
SWITCHED_OFF = re.compile(r"doctest::" + r"skip|doctest::" + r"may_fail|^\s*#\s*if\s+0\b|unittest\." + r"skip|test\." + r"skip\(")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me|tmp/br" + r"ief)/[\w.]+")
TEXT_ENDINGS = (".cpp", ".hpp", ".py", ".sh", ".md", ".cmake", ".json", ".js", ".mjs", ".ts", ".tsx", ".toml", ".lua", ".txt")
ASSERTING = re.compile(r"\b(CHECK|REQUIRE|FAIL)(_[A-Z_]+)?\s*\(|\bstatic_assert\b")


class Findings:
    """Collects what is wrong, in the order of the files."""

    def __init__(self):
        self.lines = []

    def add(self, path, line, rule, text):
        self.lines.append(f"{path}:{line}: {rule}: {text}")


def blank_out(source):
    """Comments, strings and characters become blanks of the same shape, so that braces and words are code."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), source)


FUNCTION_TAIL = re.compile(
    r"\)\s*(?:(?:const|noexcept|override|final|mutable|constexpr|try|&&?)\s*|noexcept\s*\([^{}]*\)\s*|requires\b[^{}]*|"
    r"->[^{}]*|:(?!:)[^;]*[)}]\s*)*$", re.S)
SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")
NAME = re.compile(r"([~\w:]+|operator\s*[^\s(]+|operator\s*\(\s*\))\s*(?:<[^<>]*>)?\s*\(")


def classify(head):
    """What an opening brace after `head` opens: 'scope', 'function' or 'initializer'."""
    head = re.sub(r"\[\[.*?\]\]", " ", head, flags=re.S).strip()
    bare = re.sub(r"^\s*template\s*<[^{}]*?>\s*(?=\w)", "", head, flags=re.S)
    if SCOPE.search(bare) and not re.search(r"\)\s*(const|noexcept|override|final|->[^{}]*|\s)*$", bare):
        return "scope"
    return "function" if FUNCTION_TAIL.search(head) else "initializer"


def functions(source):
    """Yields (name, first line, lines) of every function body outside of other functions."""
    code = re.sub(r"(?m)^[ \t]*#(?:\\\n|[^\n])*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), blank_out(source))
    head_start = 0
    stack = []  # (kind, head start, head, opening line)
    line = 1
    for at, char in enumerate(code):
        if char == "\n":
            line += 1
        elif char == "{":
            inside = bool(stack) and stack[-1][0] in ("function", "inner")
            head = code[head_start:at]
            kind = "inner" if inside else classify(head)
            stack.append((kind, head_start, head, line))
            if kind != "initializer":
                head_start = at + 1
        elif char == "}" and stack:
            kind, start, head, opened = stack.pop()
            if kind == "function":
                found = NAME.search(head)
                yield (found.group(1).split("::")[-1] if found else "?", opened, line - opened + 1)
            head_start = start if kind == "initializer" else at + 1
        elif char == ";" and not (stack and stack[-1][0] == "initializer"):
            head_start = at + 1


def check_lengths(path, source, allowed, used, findings):
    for name, line, count in functions(source):
        if count <= LINES_MAX:
            continue
        if (path, name) in allowed:
            used.add((path, name))
            continue
        findings.add(path, line, "length", f"{name} has {count} lines, at most {LINES_MAX} (or a reason in long_functions.txt)")


def check_includes(path, source, findings):
    row = next((r for r in DIRECTIONS if path.startswith(r[0])), None)
    for number, text in enumerate(source.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', text)
        if not found:
            continue
        bracket, header = found.groups()
        first = header.split("/")[0]
        ours = first in {"usher", "engine", "wal", "server", "bench", "tests"} and "/" in header
        if header.startswith("rocksdb/") and not path.startswith(("wal/rocksdb_", "bench/", "tests/")):
            findings.add(path, number, "direction", f"{header}: RocksDB only in wal/rocksdb_*")
        elif header.startswith("simdjson") and not path.startswith(("server/json/", "bench/")):
            findings.add(path, number, "direction", f"{header}: simdjson only in server/json")
        elif header.startswith(("boost/asio", "boost/beast")) and not path.startswith(("server/", "bench/", "tests/")):
            findings.add(path, number, "direction", f"{header}: Asio and Beast only in server/ and bench/")
        elif row and ours and first not in row[1]:
            findings.add(path, number, "direction", f"{row[0]} may not include {header} (DESIGN 2)")
        elif row and not ours and bracket == '"' and "/" in header and not LIBRARIES.match(header):
            findings.add(path, number, "direction", f"{header}: name the room, as in \"engine/show/...\"")
        elif row and row[0] == STANDARD_ONLY and not ours and (LIBRARIES.match(header) or POSIX.match(header)):
            findings.add(path, number, "direction", f"{header}: include/ includes the standard library only")
        elif row and LIBRARIES.match(header) and not header.startswith(row[2]):
            findings.add(path, number, "direction", f"{row[0]} may not include {header}")


def check_words(path, source, findings):
    for number, text in enumerate(source.splitlines(), 1):
        for rule, pattern in (("unfinished", UNFINISHED), ("switched off", SWITCHED_OFF), ("machine path", MACHINE_PATHS)):
            found = pattern.search(text)
            if found:
                findings.add(path, number, rule, found.group(0).strip())


def registered_folders(texts):
    """The folders whose *_test.cpp some usher_tests(... FOLDERS a b LINKS ...) line takes."""
    folders = set()
    for call in re.findall(r"usher_tests\(([^)]*)\)", "\n".join(texts)):
        found = re.search(r"FOLDERS\s+(.*?)(?:\bLINKS\b|$)", call, re.S)
        folders.update(found.group(1).split() if found else ())
    return folders


def check_tests(files, read, findings):
    cmake = [read(f) for f in files if f.endswith((".cmake", "CMakeLists.txt"))]
    folders = registered_folders(cmake)
    for path in files:
        name = os.path.basename(path)
        if name.endswith("_test.cpp"):
            if os.path.dirname(path) not in folders and path not in "\n".join(cmake):
                findings.add(path, 1, "unregistered", "no usher_tests() line takes this folder")
            if not ASSERTING.search(blank_out(read(path))):
                findings.add(path, 1, "asserts nothing", "a test must be able to fail")
        elif name.endswith("_test.py"):
            if path not in "\n".join(cmake):
                findings.add(path, 1, "unregistered", "no add_test() names this script")
            if "check" not in read(path) and "assert" not in read(path):
                findings.add(path, 1, "asserts nothing", "a test must be able to fail")


def check_warnings(read, findings):
    text = read("CMakeLists.txt")
    if not re.search(r"option\(USHER_WARNINGS_AS_ERRORS\s+\"[^\"]*\"\s+ON\)", text):
        findings.add("CMakeLists.txt", 1, "warnings", "USHER_WARNINGS_AS_ERRORS is not ON by default")
    for flag in ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"):
        if flag not in text:
            findings.add("CMakeLists.txt", 1, "warnings", f"{flag} is gone")


def check_silenced(path, source, findings):
    """A silenced warning says why, on the line or the one before."""
    lines = source.splitlines()
    for number, text in enumerate(lines, 1):
        if re.search(r"#\s*pragma\s+(GCC|clang)\s+diagnostic\s+ignored", text):
            near = lines[max(0, number - 4):number]
            if not any("//" in line for line in near):
                findings.add(path, number, "silenced warning", "say why in a comment")


def check_clocks(files, read, findings):
    """The engine reads no clock, but in one file."""
    readers = [f for f in files if f.startswith("engine/") and f.endswith((".cpp", ".hpp")) and CLOCKS.search(blank_out(read(f)))]
    for path in readers[1:]:
        line = next(n for n, t in enumerate(blank_out(read(path)).splitlines(), 1) if CLOCKS.search(t))
        findings.add(path, line, "clock", f"engine/ may read a clock in one file only, and {readers[0]} does")


def known_files(folder):
    result = subprocess.run(["git", "-C", folder, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=False)
    if result.returncode == 0:
        names = result.stdout.splitlines()
    else:
        names = [os.path.relpath(os.path.join(at, f), folder) for at, _, found in os.walk(folder) for f in found]
    return sorted(n for n in set(names) if os.path.isfile(os.path.join(folder, n)))


def allowed_functions(text, findings):
    allowed = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(None, 2)
        if len(parts) < 3:
            findings.add("tools/check.d/long_functions.txt", number, "exceptions", "FILE NAME REASON, all three")
        else:
            allowed[(parts[0], parts[1])] = number
    return allowed


def check_folder(folder):
    """Returns the findings of all rules over the folder."""
    findings = Findings()
    cache = {}

    def read(path):
        if path not in cache:
            try:
                with open(os.path.join(folder, path), encoding="utf-8", errors="replace") as file:
                    cache[path] = file.read()
            except FileNotFoundError:
                cache[path] = ""
        return cache[path]

    files = known_files(folder)
    allowed = allowed_functions(read("tools/check.d/long_functions.txt"), findings)
    used = set()
    for path in files:
        script = "." not in os.path.basename(path) and path.startswith(("tools/", ".ci/"))
        if not (script or path.endswith(TEXT_ENDINGS)) or os.path.basename(path) == "package-lock.json":
            continue
        check_words(path, read(path), findings)
        if path.endswith((".cpp", ".hpp")):
            check_includes(path, read(path), findings)
            check_lengths(path, read(path), allowed, used, findings)
            check_silenced(path, read(path), findings)
    for entry in sorted(set(allowed) - used):
        findings.add("tools/check.d/long_functions.txt", allowed[entry], "exceptions", f"{entry[0]} {entry[1]} is not long (any more)")
    check_tests(files, read, findings)
    check_clocks(files, read, findings)
    check_warnings(read, findings)
    return findings.lines


def main():
    lines = check_folder(sys.argv[1] if len(sys.argv) > 1 else ".")
    for line in lines:
        print(line)
    if lines:
        print(f"{len(lines)} findings")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
