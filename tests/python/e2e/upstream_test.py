"""Upstream's tasker-py beside this package: one clear error, whichever of the two wrote its files last."""

import os
from pathlib import Path

import pytest
from conftest import HANDLERS, wait_for_log

SENTENCE = "tasker-py is installed"
REMEDY = "pip uninstall tasker-py tasker-host"


@pytest.fixture
def upstream(program):
    metadata = program.path / "tasker_py-0.1.8.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tasker-py\nVersion: 0.1.8\n")
    return metadata


def test_the_import_says_what_to_uninstall(program, upstream):
    ended = program.run("import tasker_core")
    assert ended.status == 1
    last = ended.err.strip().splitlines()[-1]
    assert last.startswith("ImportError: ") and SENTENCE in last and REMEDY in last and str(upstream) in last
    assert "no native module" not in ended.err


def test_upstreams_own_files_over_ours_say_so_too(program, upstream):
    module = next(Path(os.environ["TASKER_BUILD"], "python/tasker_core").glob("_tasker_core.*.so"))
    (program.path / "tasker_core").mkdir()
    (program.path / "tasker_core" / module.name).symlink_to(module)
    program.write("tasker_core/__init__.py", "from tasker_core._tasker_core import health_check\n")
    ended = program.run("import sys; sys.path.insert(0, '.'); import tasker_core")
    assert ended.status == 1 and REMEDY in ended.err.strip().splitlines()[-1]


def test_under_tasker_host_the_plugin_says_so(program, upstream, host):
    program.write("app/handlers.py", HANDLERS)
    running = host('packages = ["app.handlers"]')
    wait_for_log(running, "libtasker_python.so: its init failed")
    assert REMEDY in running.log()


def test_a_name_that_only_begins_alike_is_no_matter(program):
    (program.path / "tasker_pyramid-1.0.dist-info").mkdir()
    (program.path / "tasker_py").mkdir()
    assert program.run("import tasker_core; print(1)").answer() == 1
