"""What `import tasker_core` costs a program: under 0.3 s, and none of what only some programs need."""

import json
import os
import subprocess
import sys

PROGRAM = """
import json, sys, time
began = time.perf_counter()
import tasker_core
print(json.dumps([time.perf_counter() - began, sorted({name.partition(".")[0] for name in sys.modules})]))
"""
LATER = {"asyncio", "httpx", "yaml", "pytest", "ssl", "multiprocessing", "sqlite3"}


def test_the_import_is_quick_and_brings_little():
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{os.environ['TASKER_BUILD']}/python"}
    took, modules = [], set()
    for _ in range(5):
        seconds, names = json.loads(subprocess.check_output([sys.executable, "-c", PROGRAM], env=env))
        took.append(seconds)
        modules |= set(names)
    print(f"import tasker_core: best {min(took):.3f} s, worst {max(took):.3f} s")
    assert min(took) < 0.3, took
    assert not LATER & modules
