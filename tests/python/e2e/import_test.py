"""What `import tasker_core` costs a program: under 0.3 s, and none of what only some programs need.

The bound is on the processor's time, which a busy machine does not change much; scripts/bench measures the wall's.
"""

import json
import os
import subprocess
import sys

PROGRAM = """
import json, sys, time
began, used = time.perf_counter(), time.process_time()
import tasker_core
took = [time.perf_counter() - began, time.process_time() - used]
print(json.dumps([*took, sorted({name.partition(".")[0] for name in sys.modules})]))
"""
LATER = {"asyncio", "httpx", "yaml", "pytest", "ssl", "multiprocessing", "sqlite3"}


def test_the_import_is_quick_and_brings_little():
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{os.environ['TASKER_BUILD']}/python"}
    took, used, modules = [], [], set()
    for _ in range(5):
        seconds, busy, names = json.loads(subprocess.check_output([sys.executable, "-c", PROGRAM], env=env))
        took.append(seconds)
        used.append(busy)
        modules |= set(names)
    print(f"import tasker_core: {min(took):.3f} to {max(took):.3f} s, {min(used):.3f} s of the processor")
    assert min(used) < 0.3, used
    assert not LATER & modules


def test_the_native_functions_say_what_their_stub_says(program):
    ended = program.run("""
        import ast, json, pathlib
        import tasker_core
        from tasker_core import _tasker_core as native
        stub = ast.parse((pathlib.Path(tasker_core.__file__).parent / "_tasker_core.pyi").read_text())
        said = {node.name: ast.get_docstring(node) for node in stub.body if isinstance(node, ast.FunctionDef)}
        public = [name for name in tasker_core.__all__ if getattr(tasker_core, name) is getattr(native, name, 0)]
        docs = {name: getattr(native, name).__doc__.partition("\\n\\n")[2].strip() for name in public}
        print(json.dumps([docs, {name: said[name] for name in public}]))
    """)
    docs, stub = ended.answer()
    assert len(docs) == 9 and docs == stub and all(docs.values())
