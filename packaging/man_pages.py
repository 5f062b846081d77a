"""Writes tasker-host(1) and worker.toml(5) for scdoc, from what stands elsewhere: the program's own --help, and
config/worker.toml.

    man_pages.py TASKER_HOST WORKER_TOML FOLDER
"""

import itertools
import pathlib
import re
import subprocess
import sys
import textwrap


def plain(text):
    """The text, of which scdoc takes no character for markup."""
    return re.sub(r"([\\_*`+#\[\]|])", r"\\\1", text)


class Help:
    """What `tasker-host WORDS --help` says."""

    def __init__(self, program, words):
        text = subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True).stdout
        self.words = words
        self.about, usage, *lines = text.splitlines()
        self.usage = usage.removeprefix("Usage: ")
        self.sections, self.items, self.notes = {}, None, []
        for line in lines:
            if line.startswith(" ") and line.strip():
                self._add(line)
            elif line.endswith(":"):
                self.items = self.sections.setdefault(line.rstrip(":"), [])
            elif line:
                self.notes.append(line)

    def _add(self, line):
        """"  name   meaning", or more of the meaning of the name above."""
        name, _, meaning = line[2:].partition("  ")
        if line.startswith("   "):
            self.items[-1][1] += " " + line.strip()
        else:
            self.items.append([name, meaning.strip()])

    def names(self, section):
        return [name for name, _ in self.sections.get(section, [])]

    def list(self, section, leave_out=()):
        for name, meaning in self.sections.get(section, []):
            if not name.startswith(tuple(leave_out)):
                yield f"*{plain(re.sub(r' (TEXT|INT|UINT)?:?.*REQUIRED', '', name))}*\n\t{plain(meaning)}\n"


def commands(program, words=()):
    """The help of each command that does something, in the program's order."""
    found = Help(program, list(words))
    below = found.names("Subcommands")
    if not below or not words:
        yield found
    for name in below:
        yield from commands(program, [*words, name])


def host_page(program, settings):
    top, *rest = commands(program)
    yield "tasker-host(1)\n\n# NAME\n"
    yield f"tasker-host - {plain(top.about[0].lower() + top.about[1:].rstrip('.'))}\n"
    yield "# SYNOPSIS\n\n*tasker-host* [_OPTIONS_] [_COMMAND_]\n\n# OPTIONS\n"
    yield from top.list("Options")
    yield "# COMMANDS\n\nAll take the options above.\n"
    for command in rest:
        yield f"## {command.usage}\n\n{plain(command.about)}.\n"
        yield from command.list("Positionals")
        yield from command.list("Options", leave_out=["-h"])
        if command.notes:
            yield plain("\n".join(command.notes)) + "\n"
    yield "# EXIT STATUS\n"
    yield from top.list("Exit codes")
    yield "# ENVIRONMENT\n\n*TASKER\\_CONFIG\\_PATH*\n\tThe configuration file.\n"
    for key, _, comment in settings:
        for variable in re.findall(r"Environment: (\w+)\.", comment):
            yield f"*{plain(variable)}*\n\tSets {plain(key)}; see *worker.toml*(5).\n"
    yield """# FILES

_/etc/tasker/worker.toml_
	The configuration of the service.

_/usr/local/lib/tasker/plugins_, _/usr/lib/tasker/plugins_
	Where every host looks for plugins.

# SEE ALSO

*worker.toml*(5), _/usr/share/doc/tasker-host/OPERATIONS.md_
"""


def read_settings(text):
    """The comment at the top, and (key, line of its default, comment) of each key and table."""
    top, section, comment, found = None, "", [], []
    for line in text.splitlines():
        if line.startswith("#"):
            comment.append(line[1:].removeprefix(" "))
            continue
        top = comment if top is None else top
        header = re.fullmatch(r"\[(.+)\]", line)
        section = header[1] if header else section
        if comment and header:
            found.append((section, line, " ".join(comment)))
        elif comment and " = " in line:
            found.append((f"{section}.{line.split(' = ')[0]}", line, " ".join(comment)))
        comment = []
    return top, found, comment


def settings_page(top, settings, rest):
    yield "worker.toml(5)\n\n# NAME\n\nworker.toml - the configuration of tasker-host\n\n# DESCRIPTION\n"
    yield from paragraphs(top)
    section = None
    for key, line, comment in settings:
        if section != key.split(".")[0]:
            section = key.split(".")[0]
            yield f"# {section.upper()}\n"
        yield f"*{plain(key if line.startswith('[') else line)}*\n\t{plain(comment)}\n"
    yield "# PLUGINS\n"
    yield from paragraphs(rest)
    yield "# SEE ALSO\n\n*tasker-host*(1)\n"


def paragraphs(lines):
    """A comment as text; what is indented in it, or set like the file, as it is."""
    for verbatim, part in itertools.groupby(lines, lambda line: line.startswith(("  ", "[")) or " = " in line):
        text = "\n".join(part)
        yield f"```\n{textwrap.dedent(text)}\n```\n" if verbatim else plain(text)
    yield ""


def main():
    program, worker_toml, folder = sys.argv[1], *map(pathlib.Path, sys.argv[2:])
    top, settings, rest = read_settings(worker_toml.read_text(encoding="utf-8"))
    (folder / "tasker-host.1.scd").write_text("\n".join(host_page(program, settings)), encoding="utf-8")
    (folder / "worker.toml.5.scd").write_text("\n".join(settings_page(top, settings, rest)), encoding="utf-8")


main()
