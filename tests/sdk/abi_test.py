#!/usr/bin/python3
"""What the ABI's headers promise: each compiles by itself in every language that it is for, each field is pinned by
layout.c, and a change of their declarations has its row in docs/abi-policy.md."""

import concurrent.futures
import hashlib
import pathlib
import re
import shutil
import subprocess
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = TREE / "sdk" / "include"
LAYOUT = TREE / "tests" / "sdk" / "layout.c"
POLICY = TREE / "docs" / "abi-policy.md"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
# Pairs of a C and a C++ compiler; gcc is always there, clang is where scripts/setup --check was run.
COMPILERS = [pair for pair in (("gcc", "g++"), ("clang-14", "clang++-14")) if all(map(shutil.which, pair))]
ROW = re.compile(r"^\| (\d+)\.(\d+) \| (.+?) \| `([0-9a-f]{16})` \| .+ \|$", re.MULTILINE)


def c_headers():
    return sorted(INCLUDE.rglob("*.h"))


def declarations(text):
    """Without comments, and however it is set in lines; what a release changes by itself is left out."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    return "\n".join(" ".join(line.split()) for line in text.splitlines()
                     if line.strip() and not line.startswith("#define TASKER_VERSION "))


def digest_of(texts):
    """Of the declarations, the same however they are broken into lines."""
    joined = " ".join(" ".join(declarations(text).split()) for text in texts)
    return hashlib.sha256(joined.encode()).hexdigest()[:16]


def names_declared(field):
    """Those of one declaration in a struct: "tasker_uuid task, step", "void (*f)(int)"."""
    function = re.match(r"[^(]*\(\*(\w+)\)", field)
    if function:
        return [function[1]]
    return [re.search(r"(\w+)\s*(\[\w*\])?\s*$", part)[1] for part in field.split(",")]


def entities(text):
    """(struct, field) and (constant,) of a header, as a set."""
    text = declarations(text)
    found = set()
    for struct, body in re.findall(r"typedef struct (\w+) \{(.*?)\} \1;", text, re.DOTALL):
        for field in filter(str.strip, re.split(r";", body)):
            found |= {(struct, name) for name in names_declared(" ".join(field.split()))}
    for body in re.findall(r"\benum \{(.*?)\};", text, re.DOTALL):
        found |= {(re.match(r"\s*(\w+)", constant)[1],) for constant in body.split(",") if constant.strip()}
    return found


def pinned(text):
    return {(struct, field) for struct, field in re.findall(r"^AT\((\w+), (\w+),", text, re.MULTILINE)} | {
        (name,) for name in re.findall(r"^VALUE\((\w+),", text, re.MULTILINE)}


def policy_complaint(digest, minor, policy):
    """What docs/abi-policy.md lacks for headers of this digest; empty: nothing."""
    rows = [(int(major), int(row_minor), released, recorded) for major, row_minor, released, recorded
            in ROW.findall(policy)]
    if not rows:
        return "docs/abi-policy.md has no row of the form | 1.0 | not yet | `0123456789abcdef` | what |"
    if [row[1] for row in rows] != list(range(len(rows))):
        return "the rows of docs/abi-policy.md do not count up from 1.0"
    _, last, released, recorded = rows[-1]
    if last != minor:
        return f"TASKER_ABI_MINOR is {minor}, and the last row of docs/abi-policy.md is 1.{last}; add a row or set it"
    if recorded == digest:
        return ""
    if released != "not yet":
        return (f"the C headers changed, and 1.{last} is released; set TASKER_ABI_MINOR to {last + 1} and add a row to "
                f"docs/abi-policy.md, with `{digest}` and what was appended")
    return f"the C headers changed; say so in the row 1.{last} of docs/abi-policy.md, and set its digest to `{digest}`"


class Layout(unittest.TestCase):
    def test_each_field_and_constant_is_pinned(self):
        declared = set().union(*(entities(header.read_text(encoding="utf-8")) for header in c_headers()))
        self.assertGreater(len(declared), 100)
        self.assertEqual(sorted(declared - pinned(LAYOUT.read_text(encoding="utf-8"))), [], "pin them in layout.c")

    def test_a_new_field_is_missed(self):
        header = (INCLUDE / "tasker" / "plugin.h").read_text(encoding="utf-8")
        changed = header.replace("\n} tasker_host;", "\n  void (*later)(tasker_call* call, int a);\n} tasker_host;")
        changed = changed.replace("TASKER_E_TIMEOUT = 10 ", "TASKER_E_TIMEOUT = 10, TASKER_E_LATER = 11 ")
        self.assertEqual(entities(changed) - entities(header), {("tasker_host", "later"), ("TASKER_E_LATER",)})


class Policy(unittest.TestCase):
    def setUp(self):
        self.headers = [header.read_text(encoding="utf-8") for header in c_headers()]
        self.policy = POLICY.read_text(encoding="utf-8")
        version = (INCLUDE / "tasker" / "version.h").read_text(encoding="utf-8")
        self.minor = int(re.search(r"TASKER_ABI_MINOR (\d+)", version)[1])

    def test_the_headers_are_those_of_the_last_row(self):
        self.assertEqual(policy_complaint(digest_of(self.headers), self.minor, self.policy), "")

    def test_a_change_is_seen_and_a_comment_is_none(self):
        changed = [text.replace("int32_t priority;", "int64_t priority;") for text in self.headers]
        self.assertIn("the C headers changed", policy_complaint(digest_of(changed), self.minor, self.policy))
        said = [text.replace("/* The task's;", "/* Of the task;") for text in self.headers]
        self.assertNotEqual(said, self.headers)
        self.assertEqual(digest_of(said), digest_of(self.headers))

    def test_a_released_row_wants_a_new_minor(self):
        released = self.policy.replace("| not yet |", "| 9.9.9 |")
        self.assertIn(f"set TASKER_ABI_MINOR to {self.minor + 1}",
                      policy_complaint("f" * 16, self.minor, released))
        self.assertIn("add a row", policy_complaint("f" * 16, self.minor + 1, released))


class Languages(unittest.TestCase):
    def compile(self, compiler, language, standard, source):
        command = [compiler, "-x", language, f"-std={standard}", *WARNINGS, "-fsyntax-only", f"-I{INCLUDE}", "-"]
        ended = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
        return "" if ended.returncode == 0 else f"{' '.join(command)}: {ended.stderr}"

    def test_each_header_is_the_first_and_only_one(self):
        jobs = []
        for header in sorted(INCLUDE.rglob("*.h*")):
            source = f"#include <{header.relative_to(INCLUDE)}>\nint main(void) {{ return 0; }}\n"
            for c, cxx in COMPILERS:
                if header.suffix == ".h":
                    jobs += [(c, "c", standard, source) for standard in ("c11", "c17")]
                jobs += [(cxx, "c++", standard, source.replace("void", "")) for standard in ("c++17", "c++20")]
        layout = LAYOUT.read_text(encoding="utf-8")
        jobs += [(c, "c", standard, layout) for c, _ in COMPILERS for standard in ("c11", "c17")]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            complaints = [said for said in pool.map(lambda job: self.compile(*job), jobs) if said]
        self.assertEqual(complaints, [])
        print(f"{len(jobs)} compilations by {', '.join(c for c, _ in COMPILERS)}")


if __name__ == "__main__":
    unittest.main()
