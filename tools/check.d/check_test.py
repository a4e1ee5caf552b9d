"""The checker itself: a clean sample passes, and each bad sample is found with its place and rule."""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import check  # noqa: E402

CMAKE = """option(USHER_WARNINGS_AS_ERRORS "Warnings stop the build" ON)
target_compile_options(x PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
usher_tests(some_tests FOLDERS tests/engine tests/wal LINKS engine)
"""


def long_body(lines):
    return "".join(f"  x += {n};\n" for n in range(lines - 2))


class CheckTest(unittest.TestCase):
    def findings(self, files):
        with tempfile.TemporaryDirectory() as folder:
            files = {"CMakeLists.txt": CMAKE, **files}
            for path, text in files.items():
                os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
                with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
                    file.write(text)
            subprocess.run(["git", "init", "-q", folder], check=True)
            return check.check_folder(folder)

    def assert_one(self, files, place, rule):
        found = self.findings(files)
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f"{place}: {rule}"), found[0])

    def test_clean_sample_passes(self):
        good = {
            "include/usher/a.hpp": "#include <vector>\n#include \"usher/b.hpp\"\n",
            "engine/show/a.cpp": "#include <boost/unordered/unordered_flat_map.hpp>\n#include \"usher/a.hpp\"\n",
            "wal/rocksdb_store.cpp": "#include <rocksdb/db.h>\n#include <sys/stat.h>\n",
            "server/main.cpp": "#include <boost/asio.hpp>\n#include \"wal/log.hpp\"\n",
            "tests/engine/a_test.cpp": "TEST_CASE(\"a\") { CHECK(true); }\n",
        }
        self.assertEqual(self.findings(good), [])

    def test_upward_includes_are_found(self):
        self.assert_one({"engine/a.cpp": "\n#include \"wal/log.hpp\"\n"}, "engine/a.cpp:2", "direction")
        self.assert_one({"wal/a.cpp": "#include \"engine/show.hpp\"\n"}, "wal/a.cpp:1", "direction")
        self.assert_one({"include/usher/a.hpp": "#include <fmt/core.h>\n"}, "include/usher/a.hpp:1", "direction")

    def test_libraries_outside_their_room_are_found(self):
        self.assert_one({"engine/a.cpp": "#include <boost/asio.hpp>\n"}, "engine/a.cpp:1", "direction")
        self.assert_one({"wal/log.cpp": "#include <rocksdb/db.h>\n"}, "wal/log.cpp:1", "direction")
        self.assert_one({"server/api/a.cpp": "#include <simdjson.h>\n"}, "server/api/a.cpp:1", "direction")
        self.assert_one({"engine/b.cpp": "#include <openssl/evp.h>\n"}, "engine/b.cpp:1", "direction")

    def test_function_of_70_lines_passes_and_of_71_is_found(self):
        text = "namespace a {\nint f(int x) {\n%s}\n}\n"
        self.assertEqual(self.findings({"wal/a.cpp": text % long_body(70)}), [])
        self.assert_one({"wal/a.cpp": text % long_body(71)}, "wal/a.cpp:2", "length")

    def test_long_functions_are_found_in_all_their_forms(self):
        for head in ("A::A(int a) : a_(a), b_{a} {", "auto f() const noexcept -> std::vector<int> {", "TEST_CASE(\"x: {y}\") {",
                     "template <class T>\n  requires std::is_same_v<T, int>\nvoid f(T t) {", "bool A::operator()(int a) const {"):
            found = self.findings({"wal/a.cpp": f"{head}\n{long_body(90)}}}\n"})
            self.assertEqual(len(found), 1, (head, found))
            self.assertIn("length", found[0])

    def test_long_table_or_class_is_no_function(self):
        table = "inline constexpr std::array<int, static_cast<std::size_t>(E::count_)> t{{\n" + "  1,\n" * 100 + "}};\n"
        klass = "class A {\n" + "  int f();\n" * 100 + "};\n"
        enum = "enum class E : std::uint8_t {\n" + "  a,\n" * 100 + "};\n"
        self.assertEqual(self.findings({"wal/a.hpp": table + klass + enum}), [])

    def test_exception_needs_a_reason_and_goes_when_it_is_not_needed(self):
        text = f"int f(int x) {{\n{long_body(90)}}}\n"
        listed = "tools/check.d/long_functions.txt"
        self.assertEqual(self.findings({"wal/a.cpp": text, listed: "wal/a.cpp f a flat table\n"}), [])
        self.assertEqual(len(self.findings({"wal/a.cpp": text, listed: "wal/a.cpp f\n"})), 2)
        self.assert_one({"wal/a.cpp": "int f();\n", listed: "wal/a.cpp f a flat table\n"}, listed + ":1", "exceptions")

    def test_unregistered_test_and_empty_test_are_found(self):
        self.assert_one({"tests/lost/a_test.cpp": "CHECK(true);\n"}, "tests/lost/a_test.cpp:1", "unregistered")
        self.assert_one({"tests/wal/a_test.cpp": "TEST_CASE(\"CHECK(x)\") {} // CHECK(y)\n"}, "tests/wal/a_test.cpp:1", "asserts nothing")
        self.assert_one({"tests/e2e/a_test.py": "assert True\n"}, "tests/e2e/a_test.py:1", "unregistered")

    def test_unfinished_and_switched_off_are_found(self):
        self.assert_one({"wal/a.cpp": "// TO" + "DO: later\n"}, "wal/a.cpp:1", "unfinished")
        self.assert_one({"wal/a.cpp": "\n#if" + " 0\n"}, "wal/a.cpp:2", "switched off")
        self.assert_one({"wal/a.cpp": "* doctest::" + "skip()\n"}, "wal/a.cpp:1", "switched off")

    def test_machine_paths_are_found(self):
        self.assert_one({"README.md": "cd /wo" + "rk/main\n"}, "README.md:1", "machine path")

    def test_lost_warnings_are_found(self):
        self.assert_one({"CMakeLists.txt": CMAKE.replace(" ON)", " OFF)")}, "CMakeLists.txt:1", "warnings")
        self.assert_one({"CMakeLists.txt": CMAKE.replace(" -Wshadow", "")}, "CMakeLists.txt:1", "warnings")
        self.assert_one({"wal/a.cpp": "#pragma GCC diagnostic ignored \"-Wshadow\"\n"}, "wal/a.cpp:1", "silenced warning")

    def test_second_clock_in_the_engine_is_found(self):
        clock = "auto t = std::chrono::steady_clock::now();\n"
        self.assertEqual(self.findings({"engine/a.cpp": clock}), [])
        self.assert_one({"engine/a.cpp": clock, "engine/b.cpp": clock}, "engine/b.cpp:1", "clock")


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=0)
    bad = len(program.result.failures) + len(program.result.errors)
    print(f"{program.result.testsRun - bad} checks passed, {bad} failed")
    sys.exit(1 if bad else 0)
