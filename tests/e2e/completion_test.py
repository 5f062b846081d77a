#!/usr/bin/python3
"""What a shell offers after the first words of a command line: the script of `completion`, in a real bash."""

import os
import pathlib
import re
import subprocess
import unittest

HOST = pathlib.Path(os.environ["TASKER_HOST"])
USAGE, NOT_FOUND = 64, 66
IN_BASH = r"""
source <(tasker-host completion bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_tasker_host
printf '%s\n' "${COMPREPLY[@]}"
"""


def host(*arguments):
    return subprocess.run([HOST, *arguments], capture_output=True, text=True, timeout=60)


def offered(*words):
    """What bash offers for the last of the words after tasker-host."""
    path = f"{HOST.parent}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "--norc", "-c", IN_BASH, "bash", "tasker-host", *words], timeout=60,
                          env={"PATH": path}, capture_output=True, text=True, check=True)
    return done.stdout.split()


def listed(section, *command):
    """The first words of a section of --help."""
    text = host(*command, "--help").stdout.partition(f"\n{section}:\n")[2].partition("\n\n")[0]
    return [line.split()[0] for line in text.splitlines() if re.match(r"  \S", line)]


class Completion(unittest.TestCase):
    def test_offers_the_commands_of_the_help(self):
        commands = listed("Subcommands")
        self.assertIn("submit", commands)
        self.assertEqual(offered(""), commands)
        for command in commands:
            self.assertEqual(offered(command, ""), listed("Subcommands", command), command)

    def test_offers_the_options_of_a_command_and_of_all(self):
        self.assertEqual(offered("submit", "--k"), ["--key"])
        options = offered("task", "show", "-")
        self.assertLess({"--watch", "--step", "--config", "--json"}, set(options))
        self.assertEqual(len(options), len(set(options)))

    def test_takes_no_value_of_an_option_for_a_command(self):
        self.assertEqual(offered("--config", "task", "sto"), ["store"])
        for equals in (["--config=task"], ["--config", "=", "task"]):
            self.assertEqual(offered(*equals, "sto"), ["store"], equals)

    def test_offers_nothing_where_a_value_is_due_so_that_the_shell_offers_files(self):
        self.assertEqual(offered("--config", ""), [])
        self.assertEqual(offered("--config", "="), [])
        self.assertEqual(offered("template", "validate", ""), [])

    def test_there_is_a_script_for_each_shell_and_a_sentence_for_others(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("__complete", host("completion", shell).stdout)
        other = host("completion", "tcsh")
        self.assertEqual((other.returncode, other.stdout), (NOT_FOUND, ""))
        self.assertEqual(other.stderr,
                         "tasker-host: there is no completion for 'tcsh'; there is for bash, zsh, fish\n")
        self.assertEqual(host("completion").returncode, USAGE)

    def test_the_question_that_scripts_ask_stands_in_no_help(self):
        self.assertNotIn("__complete", host("--help").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
