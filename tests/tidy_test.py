#!/usr/bin/python3
"""The rules of the house style that a program can check. Prints "file:line: rule: what to do"; fails if any.

    tests/tidy_test.py [TREE]       checks the tree (default: this one)
    tests/tidy_test.py --self-test  breaks each rule in a tree of its own, and fails if one goes unnoticed
"""
import ast
import pathlib
import re
import sys
import tempfile

ROOTS = ("host", "sdk", "plugins", "examples", "tests", "bench", "scripts", "packaging")
CPP = {".cc", ".c", ".h", ".hpp"}
CODE = CPP | {".py", ".sql", ".cmake", ".txt", ""}
FILE_LINES_MAX, FUNCTION_LINES_MAX, LINE_COLUMNS_MAX = 600, 70, 120

# Which modules of host/ a module may include beside itself; "tasker" is the SDK. A new folder needs its row here.
MAY_INCLUDE = {
    "base": set(),
    "config": {"base"},
    "log": {"base", "config"},
    "workflow": {"base"},
    "store": {"base", "log", "workflow"},
    "plugin": {"base", "log", "workflow", "tasker"},
    "trial": {"base", "log", "workflow", "plugin", "tasker"},
    "pipeline": {"base", "config", "log", "workflow", "store", "plugin"},
    "cli": {"base", "config", "log", "workflow", "store", "plugin", "trial", "pipeline", "tasker"},
}
ONLY_FROM = {"log": {"config": {"config/config.h"}}}  # module -> module -> the files it may take from there

# Libraries that live in one folder of host/.
HOME = {"boost/log/": "log", "boost/dll": "plugin", "toml++/": "config", "sqlite3.h": "store/sqlite",
        "yaml-cpp/": "workflow", "valijson/": "workflow", "gelf.h": "trial", "libelf.h": "trial", "CLI/": "cli"}

BANNED_NAME = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"}
BARE_LOCK = re.compile(r"\bstd::(\w*mutex|condition_variable\w*|lock_guard|unique_lock|scoped_lock|shared_lock)\b")
SLEEP = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(")
SQL = re.compile(r"\s*(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s"
                 r"|(CREATE|ALTER|DROP)\s+(UNIQUE\s+|TEMP\s+)?(TABLE|INDEX|VIEW|TRIGGER)\b|PRAGMA\s"
                 r"|(BEGIN|COMMIT|ROLLBACK|SAVEPOINT)\b(\s+(IMMEDIATE|EXCLUSIVE|DEFERRED|TRANSACTION))?;?\s*$)")
REMINDER = "TODO" + "(now)"

# One pass over C and C++: comments and literals, whatever they contain.
TOKEN = re.compile(r'//(?:\\\n|[^\n])*|/\*.*?\*/|(?:\b(?:u8|[uUL]))?R"([^()\\\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
                   r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


class Source:
    """One file: `path` relative to the tree, `text`, its `lines`, and for C and C++ `bare`: the text with comments and
    directives blanked and literals reduced to "" or 0, line by line as it was."""

    def __init__(self, tree, file):
        self.path = file.relative_to(tree).as_posix()
        self.text = file.read_text(encoding="utf-8", errors="replace")
        self.lines = self.text.split("\n")
        self.is_cpp = file.suffix in CPP
        self.literals = []  # (line, text between the quotes)
        if self.is_cpp:
            self.code = TOKEN.sub(self._blank, self.text)  # directives still in place
            self.bare = DIRECTIVE.sub(lambda m: "\n" * m[0].count("\n"), self.code)
            self.includes = [(line_of(self.text, m.start()), m[1]) for m in
                             re.finditer(r'^[ \t]*#[ \t]*include[ \t]*(["<][^">\n]+[">])', self.text, re.MULTILINE)]

    def _blank(self, match):
        text, newlines = match[0], "\n" * match[0].count("\n")
        if text.startswith("/"):
            return " " + newlines
        if text.startswith("'"):
            return "0"
        inner = text.split("(", 1)[1].rsplit(")", 1)[0] if match[1] is not None else text[1:-1]
        self.literals.append((line_of(self.text, match.start()), inner))
        return '""' + newlines

    @property
    def module(self):
        parts = self.path.split("/")
        return parts[1] if parts[0] == "host" and len(parts) > 2 else None


def matching_brace(code, opening):
    depth = 0
    for brace in re.finditer(r"[{}]", code[opening:]):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return opening + brace.start()
    return None


def kind_of(head):
    """What a brace opens, by what stands before it since the last statement: a "scope", a "function" or "data"."""
    head = re.sub(r"\b(?:public|private|protected)\s*:", " ", head)
    head = re.sub(r"\boperator\s*(?:\(\s*\)|[^\s\w(]+)", "operator", head).strip()
    while (shorter := re.sub(r"\([^()]*\)", "@", head)) != head:
        head = shorter
    head = re.sub(r"\btemplate\s*<[^{};]*>\s*(?=[\w\[])", "", head)
    if re.match(r'(?:inline\s+)?namespace\b|extern\s*""$', head):
        return "scope"
    if re.match(r"(?:typedef\s+|static\s+|const\s+)*(?:class|struct|union|enum)\b", head) and not head.endswith("@"):
        return "scope"
    return "function" if "@" in head and "=" not in head else "data"


def functions(code):
    """(first offset, last offset) of each function body, with its signature, at namespace or class level."""
    position, head_from = 0, 0
    while (found := re.compile(r"[;{}]").search(code, position)) is not None:
        position = found.end()
        if found[0] != "{":
            head_from = position
            continue
        kind = kind_of(code[head_from:found.start()])
        if kind == "scope":
            head_from = position
            continue
        end = matching_brace(code, found.start())
        if end is None:
            return  # Braces that the preprocessor balances; the compiler knows, a guess would cry wolf.
        position = end + 1
        if re.match(r"\s*[,{]", code[position:]):
            continue  # A brace of a constructor's initialisers: the same function goes on.
        if kind == "function":
            yield head_from + len(re.match(r"\s*", code[head_from:])[0]), end
        head_from = position


def check_size(source, report):
    count = len(source.text.splitlines())
    if count > FILE_LINES_MAX:
        report(FILE_LINES_MAX + 1, "file-length", f"{count} lines; split it by topic, at most {FILE_LINES_MAX}")
    for number, line in enumerate(source.lines, 1):
        if len(line) > LINE_COLUMNS_MAX:
            report(number, "line-length", f"{len(line)} columns; break it, at most {LINE_COLUMNS_MAX}")
    spans = []
    if source.is_cpp:
        spans = [(line_of(source.bare, a), line_of(source.bare, b)) for a, b in functions(source.bare)]
    elif source.path.endswith(".py") or source.text.startswith("#!/usr/bin/python3"):
        spans = [(node.lineno, node.end_lineno) for node in ast.walk(ast.parse(source.text))
                 if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    for first, last in spans:
        if last - first + 1 > FUNCTION_LINES_MAX:
            report(first, "function-length", f"{last - first + 1} lines; take out a step, at most {FUNCTION_LINES_MAX}")


def check_names(source, report):
    def check(line, name):
        words = set(re.findall(r"[a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()))
        if bad := sorted(words & BANNED_NAME):
            report(line, "name", f"'{bad[0]}' in '{name}' says nothing; name what it is or put it by its user")

    for part in source.path.split("/"):
        check(1, part)
    if source.is_cpp:
        pattern = (r"\b(?:class|struct|union|enum|namespace)\s+(?:class\s+)?"
                   r"(?:[A-Z_]{3,}\s*(?:\([^)]*\)\s*)?)?([A-Za-z_][\w:]*)")  # The name may follow an annotation.
        for match in re.finditer(pattern, source.bare):
            check(line_of(source.bare, match.start()), match[1])


def check_includes(source, report):
    module, top = source.module, source.path.split("/")[0]
    if module is not None and module not in MAY_INCLUDE:
        report(1, "module", f"host/{module} has no row in MAY_INCLUDE of tests/tidy_test.py; decide what it may use")
        return
    for line, include in source.includes:
        file, quoted = include[1:-1], include[0] == '"'
        if "../" in file:
            report(line, "parent-include", "write the path from host/, as module/file.h")
        target = file.split("/")[0] if "/" in file else None
        if module is not None and target != module and (target in MAY_INCLUDE and quoted or target == "tasker"):
            only = ONLY_FROM.get(module, {}).get(target)
            if target not in MAY_INCLUDE[module] or (only is not None and file not in only):
                report(line, "module", f"{module} may not include {file}; see the module table in docs/ARCHITECTURE.md")
        if top == "sdk" and quoted and target != "tasker":
            report(line, "module", "the SDK includes only the standard library and tasker/...")
        if module == "base" and not quoted and target not in (None, "sys", "linux"):
            report(line, "module", "base uses the standard library and the system only")
        for library, home in HOME.items():
            at_home = source.path.startswith(f"host/{home}/")
            if top == "host" and not quoted and file.startswith(library) and not at_home:
                report(line, "library", f"{library.rstrip('/')} belongs to host/{home} alone; ask that module instead")


def check_own_header_first(source, report, tree):
    if source.path.endswith((".cc", ".c")) and source.module is not None and source.includes:
        own = source.path[len("host/"):].rsplit(".", 1)[0] + ".h"
        if (tree / "host" / own).exists() and source.includes[0][1] != f'"{own}"':
            report(source.includes[0][0], "own-header", f'include "{own}" first, so that it is known to stand alone')


def check_code(source, report):
    def forbid(pattern, rule, remedy):
        for match in re.finditer(pattern, source.bare):
            report(line_of(source.bare, match.start()), rule, remedy)

    top = source.path.split("/")[0]
    if source.path.endswith((".h", ".hpp")) and top != "sdk" and "\n#pragma once\n" not in "\n" + source.text:
        report(1, "pragma-once", "begin the header with #pragma once")
    forbid(r"\busing\s+namespace\b", "using-namespace", "name what you use")
    if top == "host" and source.path != "host/base/mutex.h":
        forbid(BARE_LOCK, "bare-mutex", "use base/mutex.h, which clang's thread-safety analysis understands")
    if source.path not in ("host/plugin/control_thread.cc", "host/pipeline/executor.cc"):
        forbid(r"\.detach\s*\(\s*\)", "detach", "keep the thread and join it")
    if top == "tests" and not source.path.startswith("tests/plugins/"):  # Defective plugins may well sleep.
        forbid(SLEEP, "sleep", "wait for an event, or move a fake clock")
    if top == "host":
        for line, literal in source.literals:
            allowed = source.path == "host/store/sqlite/connection.cc" and literal.startswith(
                ("PRAGMA", "BEGIN", "COMMIT", "ROLLBACK"))
            if SQL.match(literal) and not allowed:
                report(line, "sql", "put the statement into a .sql file of host/store/sqlite")


def check_text(source, report):
    for number, line in enumerate(source.lines, 1):
        if REMINDER in line and source.path != "tests/tidy_test.py":
            report(number, "reminder", f"do it now, or write {REMINDER[:4]}(soon)")
        if re.match(r"tests/(?!support/).*\.py$", source.path) and re.search(r"\btime\.sleep\(", line):
            report(number, "sleep", "wait with what tests/support has for it, which alone may poll")
    if re.match(r"host/(?!store/sqlite/).*\.sql$", source.path):
        report(1, "sql", "SQL belongs to host/store/sqlite")


def check_listed(sources, report_in):
    """Every test, and every source of host/, stands in the CMake list of its folder or of one above."""
    lists = {s.path: re.sub(r"#[^\n]*", "", s.text) for s in sources if s.path.endswith((".cmake", "CMakeLists.txt"))}
    for source in sources:
        is_test = source.path.startswith("tests/") and source.path.endswith(("_test.cc", "_test.py"))
        if not (is_test or source.path.startswith("host/") and source.path.endswith(".cc")):
            continue
        folder, name = source.path.rsplit("/", 1)
        if not any(re.search(rf"(?<![\w]){re.escape(name)}(?![\w.])", text)
                   for path, text in lists.items() if folder.startswith(path.rsplit("/", 1)[0])):
            where = f"{folder}/tests.cmake" if is_test else "its module.cmake"
            report_in(source)(1, "unlisted", f"list it in {where}; a file that is not built rots")


def check_tree(tree):
    sources = [Source(tree, file) for root in ROOTS for file in sorted((tree / root).rglob("*"))
               if file.is_file() and "__pycache__" not in file.parts and file.suffix in CODE]
    findings = []

    def report_in(source):
        return lambda line, rule, remedy: findings.append((source.path, line, rule, remedy))

    for source in sources:
        report = report_in(source)
        check_size(source, report)
        check_names(source, report)
        check_text(source, report)
        if source.is_cpp:
            check_includes(source, report)
            check_own_header_first(source, report, tree)
            check_code(source, report)
    check_listed(sources, report_in)
    return sorted(set(findings)), len(sources)


def self_test():
    long_body = "".join(f"  x += {i};\n" for i in range(75))
    seeds = [  # file, text, the rule and the line of its finding
        ("host/base/a.cc", '#include "store/store.h"\n', "module", 1),
        ("host/base/b.cc", "#include <boost/json.hpp>\n", "module", 1),
        ("host/log/c.cc", '#include "config/load.h"\n', "module", 1),
        ("host/store/d.cc", '\n#include "plugin/registry.h"\n', "module", 2),
        ("host/store/tag.cc", "#include <tasker/plugin.h>\n", "module", 1),
        ("host/ufo/e.cc", "int e;\n", "module", 1),
        ("sdk/include/tasker/f.h", '#include "base/error.h"\n', "module", 1),
        ("host/pipeline/g.cc", "#include <sqlite3.h>\n", "library", 1),
        ("host/cli/h.cc", '#include "../store/store.h"\n', "parent-include", 1),
        ("host/cli/own.cc", '#include <string>\n#include "cli/own.h"\n', "own-header", 1),
        ("host/base/i.cc", "int i;\n" * 601, "file-length", 601),
        ("host/base/j.cc", "int f() {\n" + long_body + "}\n", "function-length", 1),
        ("host/base/k.cc", "struct K {\n K() : a_{1}, b_{2} {\n" + long_body + " }\n};\n", "function-length", 2),
        ("host/base/op.cc", "bool operator==(A a, B b) {\n" + long_body + "}\n", "function-length", 1),
        ("tests/base/l.py", "def f():\n" + "    x = 1\n" * 71, "function-length", 1),
        ("host/base/m.cc", "//" + "x" * 119 + "\n", "line-length", 1),
        ("host/base/string_utils.h", "#pragma once\n", "name", 1),
        ("host/base/n.h", "#pragma once\nclass CAPABILITY(\"x\") TurnManager;\n", "name", 2),
        ("host/base/o.h", "#pragma once\nnamespace tasker::helpers {}\n", "name", 2),
        ("host/base/p.h", "int p;\n", "pragma-once", 1),
        ("host/base/q.cc", "using namespace std;\n", "using-namespace", 1),
        ("host/base/r.cc", "/* \" */ std::mutex mu;\n", "bare-mutex", 1),
        ("host/cli/s.cc", "void f() { t.detach(); }\n", "detach", 1),
        ("tests/base/t.cc", "std::this_thread::sleep_for(1s);\n", "sleep", 1),
        ("tests/e2e/nap.py", "time." + "sleep(1)\n", "sleep", 1),
        ("host/store/u.cc", 'auto s = R"(SELECT id FROM task)";\n', "sql", 1),
        ("host/store/v.cc", 'Run("COMMIT");\n', "sql", 1),
        ("host/cli/w.sql", "SELECT 1;\n", "sql", 1),
        ("bench/x.py", f"# {REMINDER}: x\n", "reminder", 1),
        ("tests/base/y_test.cc", "int y;\n", "unlisted", 1),
        ("tests/e2e/z_test.py", "z = 1\n", "unlisted", 1),
        ("host/cli/unbuilt.cc", "int u;\n", "unlisted", 1),
    ]
    innocent = [
        ("host/cli/own.h", "#pragma once\n"),
        ("host/store/sqlite/connection.cc", 'Run("PRAGMA synchronous"); Say("COMMIT of the turn failed");\n'),
        ("host/base/mutex.h", "#pragma once\nstd::mutex mu;\n"),
        ("host/base/table.cc", "int t[] = {\n" + "  1,\n" * 90 + "};\nenum class E {\n" + "  kA,\n" * 90 + "};\n"),
        ("host/base/type.h", "#pragma once\nclass A final : public B<int()> {\n" + "  void f() {}\n" * 90 + "};\n"),
        ("host/base/text.cc", 'auto a = "{ using namespace std; // ";  // std::mutex\nint b = 1\'000, c = \'{\';\n'
                              'auto d = R"x(" { )x";\n' + "int g() { return 1; }\n" * 90),
        ("host/log/config_user.cc", '#include "config/config.h"\n'),
        ("tests/base/listed_test.cc", "int l;\n"),
        ("tests/base/tests.cmake", "add(base/listed_test.cc)  # y_test.cc\n"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        for path, text, *_ in seeds + innocent:
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text, encoding="utf-8")
        built = [path for path, *_ in seeds + innocent if path.startswith("host/") and path != "host/cli/unbuilt.cc"]
        (tree / "host/CMakeLists.txt").write_text("\n".join(built), encoding="utf-8")
        found = {finding[:3] for finding in check_tree(tree)[0]}
    expected = {(path, line, rule) for path, _, rule, line in seeds}
    for path, line, rule in sorted(expected - found):
        print(f"{path}:{line}: {rule}: was not found")
    for path, line, rule in sorted(found - expected):
        print(f"{path}:{line}: {rule}: is a false alarm")
    rules = set(re.findall(r'(?:report\(|report_in\(\w+\)\(|forbid\()(?:r"[^"]*")?[^"\n]*"([a-z-]+)"',
                           pathlib.Path(__file__).read_text(encoding="utf-8")))
    untried = rules - {rule for _, _, rule, _ in seeds}
    if untried or not rules:
        print(f"no seed breaks: {', '.join(sorted(untried)) or 'any rule'}")
    print(f"tidy self-test: {len(expected & found)} of {len(expected)} seeds found, {len(rules)} rules")
    return found == expected and not untried and bool(rules)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 0 if self_test() else 1
    tree = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    findings, files = check_tree(tree)
    for path, line, rule, remedy in findings:
        print(f"{path}:{line}: {rule}: {remedy}")
    print(f"tidy: {len(findings)} findings in {files} files")
    return 1 if findings or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
