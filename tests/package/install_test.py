#!/usr/bin/python3
"""What `cmake --install` puts into a folder, and plugins that are built with nothing but that."""

import gzip
import json
import os
import pathlib
import shutil
import sys
import unittest

BUILD = os.environ["TASKER_BUILD"]
TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests" / "support"))

from installed import install, run  # noqa: E402

PLUGINS = TREE / "tests" / "plugins"
INSTALLED = {
    "bin/tasker-host", "etc/tasker/worker.toml", "lib/systemd/system/tasker-host.service",
    "lib/sysusers.d/tasker-host.conf", "share/man/man1/tasker-host.1.gz", "share/man/man5/worker.toml.5.gz",
    "share/bash-completion/completions/tasker-host", "share/zsh/vendor-completions/_tasker-host",
    "share/fish/vendor_completions.d/tasker-host.fish", "share/doc/tasker-host/OPERATIONS.md",
    "share/doc/tasker-host/worker.toml", "share/doc/tasker-host/copyright", "share/doc/libtasker-dev/copyright",
    "share/cmake/Tasker/TaskerConfig.cmake", "share/cmake/Tasker/TaskerConfigVersion.cmake",
    "share/cmake/Tasker/TaskerPlugin.cmake", "share/cmake/Tasker/TaskerTargets.cmake",
    "share/cmake/Tasker/plugin.map", "share/pkgconfig/tasker.pc",
}


def setUpModule():
    global FOLDER, PREFIX
    FOLDER = install("host", "dev")
    PREFIX = FOLDER / "prefix"


def build(name, source, language, compiler, call="tasker_add_plugin({name} SOURCES {source})", wanted=""):
    """Builds a project of one plugin, outside of this tree; returns the library."""
    project = FOLDER / f"{name}_{compiler}"
    project.mkdir()
    if isinstance(source, str):
        (project / "own.c").write_text(source, encoding="utf-8")
    else:
        shutil.copy(source, project)
    call = call.format(name=name, source="own.c" if isinstance(source, str) else source.name)
    (project / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.25)\nproject({name} LANGUAGES {language})\n"
        f"find_package(Tasker {wanted} CONFIG REQUIRED)\n{call}\n", encoding="utf-8")
    run("cmake", "-S", project, "-B", project / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={PREFIX}",
        f"-DCMAKE_{language}_COMPILER={compiler}")
    run("cmake", "--build", project / "build")
    return project / "build" / f"{name}.so"


class Install(unittest.TestCase):
    def test_puts_everything_where_it_belongs(self):
        files = {str(file.relative_to(PREFIX)) for file in PREFIX.rglob("*") if file.is_file()}
        headers = {str(file.relative_to(TREE / "sdk")) for file in (TREE / "sdk" / "include").rglob("*.h*")}
        self.assertEqual(files, INSTALLED | headers)
        self.assertTrue((PREFIX / "etc/tasker/templates").is_dir())

    def test_nothing_in_it_knows_the_tree(self):
        for file in (*(PREFIX / "share" / "cmake").rglob("*.cmake"), *PREFIX.rglob("*.pc")):
            self.assertNotIn(str(TREE), file.read_text(encoding="utf-8"), file)

    def test_its_man_pages_name_every_command_and_every_key(self):
        host = PREFIX / "bin" / "tasker-host"
        page = gzip.open(PREFIX / "share/man/man1/tasker-host.1.gz", "rt").read().replace("\\", "")
        for line in run(host, "__complete", "--", "").splitlines():
            self.assertIn("tasker-host " + line.split("\t")[0], page)
        page = gzip.open(PREFIX / "share/man/man5/worker.toml.5.gz", "rt").read().replace("\\", "")
        for key in json.loads(run(host, "config", "show", "--json", cwd=FOLDER)):
            self.assertIn(key.split(".", 1)[1] + " = ", page, key)

    def test_the_services_configuration_is_accepted(self):
        shown = run(PREFIX / "bin" / "tasker-host", "--config", PREFIX / "etc/tasker/worker.toml", "config", "show",
                    "--json")
        self.assertEqual(json.loads(shown)["store.path"]["value"], "/var/lib/tasker/tasker.db")

    @unittest.skipUnless((pathlib.Path(BUILD) / "plugins_python").is_dir(), "this build has no Python")
    def test_its_plugin_for_python_finds_the_package_beside_it(self):
        prefix = FOLDER / "with_python"
        run("cmake", "--install", BUILD, "--prefix", prefix, "--component", "python")
        self.assertTrue(list((prefix / "lib/tasker/python/tasker_core/__pycache__").glob("worker.*.pyc")))
        config = FOLDER / "python.toml"
        config.write_text(f'[plugins]\ndirs = ["{prefix}/lib/tasker/plugins"]\n'
                          f'[plugin.python]\nvenv = "{TREE}/.venv"\n', encoding="utf-8")
        listed = json.loads(run(PREFIX / "bin/tasker-host", "--config", config, "plugin", "list", "--json"))
        self.assertEqual([plugin["name"] for plugin in listed["plugins"]], ["python"])


class Plugins(unittest.TestCase):
    def assert_is_a_plugin(self, library):
        """It exports one symbol, is bound at load time, and has no table that stays writable."""
        exports = [line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()]
        self.assertEqual(exports, ["tasker_plugin_v1"])
        self.assertIn("NOW", run("readelf", "-d", library))
        self.assertIn("GNU_RELRO", run("readelf", "-lW", library))

    def test_of_c_and_cpp_load_in_the_installed_host(self):
        folder = FOLDER / "plugins"
        folder.mkdir()
        libraries = [build("in_c", PLUGINS / "hello_c.c", "C", "gcc"),
                     build("in_cpp", PLUGINS / "hello_cpp.cc", "CXX", "g++")]
        for library in libraries:
            self.assert_is_a_plugin(library)
            shutil.copy(library, folder)
        listed = json.loads(run(PREFIX / "bin" / "tasker-host", "plugin", "list", "--json", cwd=FOLDER,
                                env={**os.environ, "TASKER_PLUGIN_PATH": str(folder)}))
        self.assertEqual(listed["errors"], [])
        self.assertLessEqual({"hello_c", "hello_cpp"}, {plugin["name"] for plugin in listed["plugins"]})

    def test_with_pkg_config_are_the_same(self):
        flags = run("pkg-config", "--cflags", "--libs", "tasker",
                    env={**os.environ, "PKG_CONFIG_PATH": str(PREFIX / "share" / "pkgconfig")}).split()
        library = FOLDER / "with_pkg_config.so"
        run("gcc", "-shared", "-fPIC", PLUGINS / "hello_c.c", *flags, "-o", library)
        self.assert_is_a_plugin(library)

    def test_that_lack_a_symbol_do_not_link(self):
        text = "int missing(void);\nint (*tasker_plugin_v1(void))(void) { return missing; }\n"
        with self.assertRaisesRegex(AssertionError, "undefined reference to `missing'"):
            build("unresolved", text, "C", "gcc")

    def test_a_mistaken_call_is_answered_with_the_right_one(self):
        with self.assertRaisesRegex(AssertionError, r"write\s+tasker_add_plugin\(mistaken\s+SOURCES"):
            build("mistaken", PLUGINS / "hello_c.c", "C", "gcc", call="tasker_add_plugin({name} {source})")

    def test_of_another_major_version_are_refused(self):
        with self.assertRaisesRegex(AssertionError, "version: 0"):
            build("newer", PLUGINS / "hello_c.c", "C", "gcc", wanted="9.0")


if __name__ == "__main__":
    unittest.main(verbosity=2)
