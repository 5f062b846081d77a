#!/usr/bin/python3
"""Compares a report of examples/package_audit with dpkg-query and with a computation that shares no code with it.

Usage: package_audit_test.py PATH/package_audit.json

The status file is the one that the report names. dpkg-query is asked about it too, if it is dpkg's own or any other
file called "status". Exit status: 0 when all figures agree, 1 when one differs, each with a line of its own.
"""

import collections
import json
import os
import re
import subprocess
import sys

FIELDS = ("Package", "Architecture", "Version", "Section", "Maintainer", "Installed-Size", "Provides", "Pre-Depends",
          "Depends")
DAMPING = 0.85


class Comparison:
    """Counts what was compared and prints what differs."""

    def __init__(self):
        self.compared = 0
        self.differences = 0

    def equal(self, what, reported, expected):
        self.compared += 1
        if reported != expected:
            self.differences += 1
            print(f"DIFFERS {what}: the report says {brief(reported)}, expected {brief(expected)}")

    def true(self, what, holds):
        self.equal(what, bool(holds), True)


def brief(value):
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + "..."


def read_status_file(path):
    """The fields of all installed packages, one dict each, '' for what is missing."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    packages = []
    others = 0
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        unfolded = re.sub(r"\n[ \t]+", " ", paragraph)
        fields = dict(line.split(":", 1) for line in unfolded.splitlines())
        fields = {name.title(): value.strip() for name, value in fields.items()}
        if fields["Status"] == "install ok installed":
            packages.append({name: fields.get(name, "") for name in FIELDS})
        else:
            others += 1
    return packages, others


def ask_dpkg(path):
    """The same from dpkg-query."""
    form = "${Status}\t" + "\t".join("${" + name + "}" for name in FIELDS) + "\n"
    output = subprocess.run(["dpkg-query", "--admindir", os.path.dirname(path), "-W", "-f", form],
                            check=True, capture_output=True, text=True, encoding="utf-8").stdout
    packages = []
    for line in output.splitlines():
        status, *values = line.split("\t")
        if status == "install ok installed":
            packages.append(dict(zip(FIELDS, values)))
    return packages


def by_identity(packages):
    return {(package["Package"], package["Architecture"]): package for package in packages}


def possibility(text):
    """'perl:any (>= 5)' -> ('perl', None); 'libc6:i386' -> ('libc6', 'i386')."""
    name, _, architecture = re.match(r"[^\s(]+", text.strip()).group().partition(":")
    return name, None if architecture in ("", "any") else architecture


def resolve(packages):
    """The edges {package: set of packages} by the rule of examples/package_audit/inventory.h, and the number of
    relations that nothing meets. A package is named (name, architecture)."""
    installed = sorted((package["Package"], package["Architecture"]) for package in packages)
    providers = collections.defaultdict(list)
    for package in packages:
        for provided in filter(None, map(str.strip, package["Provides"].split(","))):
            providers[possibility(provided)[0]].append((package["Package"], package["Architecture"]))
    native = next((architecture for name, architecture in installed if name == "dpkg"), None)
    named = collections.defaultdict(list)
    for one in installed:
        named[one[0]].append(one)

    def meets(alternative, own):
        name, wanted = possibility(alternative)
        home = native if own[1] == "all" else own[1]
        for candidates in (named[name], sorted(providers[name])):
            fitting = [one for one in candidates if wanted is None or one[1] in (wanted, "all")]
            if own in fitting:
                return own
            if fitting:
                return min(fitting, key=lambda one: (one[1] not in (home, "all"), one))
        return None

    edges, unmet = {}, 0
    for package in packages:
        own = (package["Package"], package["Architecture"])
        edges[own] = set()
        for relation in filter(None, map(str.strip, (package["Pre-Depends"] + "," + package["Depends"]).split(","))):
            target = next(filter(None, (meets(alternative, own) for alternative in relation.split("|"))), None)
            if target is None:
                unmet += 1
            elif target != own:
                edges[own].add(target)
    return edges, unmet


def turned_round(edges):
    back = {node: set() for node in edges}
    for node, successors in edges.items():
        for successor in successors:
            back[successor].add(node)
    return back


def components(edges):
    """Strongly connected components by Kosaraju's two passes: finishing order, then the reversed graph."""
    finished, seen = [], set()
    for root in edges:
        if root in seen:
            continue
        seen.add(root)
        path = [(root, iter(edges[root]))]
        while path:
            node, successors = path[-1]
            following = next((one for one in successors if one not in seen), None)
            if following is None:
                finished.append(node)
                path.pop()
            else:
                seen.add(following)
                path.append((following, iter(edges[following])))
    back, found, taken = turned_round(edges), [], set()
    for root in reversed(finished):
        if root not in taken:
            members = reach(back, {root}, taken) | {root}
            taken |= members
            found.append(members)
    return found


def reach(edges, sources, closed=frozenset()):
    """What can be reached from the sources, without them and without what is closed."""
    seen, todo = set(sources), list(sources)
    while todo:
        for successor in edges[todo.pop()]:
            if successor not in seen and successor not in closed:
                seen.add(successor)
                todo.append(successor)
    return seen - set(sources)


def page_rank(edges):
    """Pulls rank over incoming edges, far longer than the report did."""
    back, count = turned_round(edges), len(edges)
    ranks = dict.fromkeys(edges, 1 / count)
    for _ in range(1000):
        dangling = sum(ranks[node] for node in edges if not edges[node])
        base = (1 - DAMPING + DAMPING * dangling) / count
        following = {node: base + DAMPING * sum(ranks[one] / len(edges[one]) for one in back[node]) for node in edges}
        change = sum(abs(following[node] - ranks[node]) for node in edges)
        ranks = following
        if change < 1e-14:
            break
    return ranks


def compare_tallies(report, packages, comparison):
    sizes = [(package["Section"] or "(none)", int(package["Installed-Size"] or 0)) for package in packages]
    reported = report["section_sizes"]
    comparison.equal("installed size", reported["installed_kib"], sum(size for _, size in sizes))
    expected = {section: {"section": section, "packages": sum(1 for one, _ in sizes if one == section),
                          "installed_kib": sum(size for one, size in sizes if one == section)} for section, _ in sizes}
    comparison.equal("sections", {row["section"]: row for row in reported["sections"]}, expected)
    comparison.equal("number of sections", len(reported["sections"]), len(expected))
    order = [row["installed_kib"] for row in reported["sections"]]
    comparison.equal("order of sections", order, sorted(order, reverse=True))

    maintainers = collections.Counter(package["Maintainer"] or "(none)" for package in packages)
    rows = report["maintainers"]["maintainers"]
    comparison.equal("maintainers", {row["maintainer"]: row["packages"] for row in rows}, dict(maintainers))
    comparison.equal("number of maintainers", len(rows), len(maintainers))
    order = [row["packages"] for row in rows]
    comparison.equal("order of maintainers", order, sorted(order, reverse=True))


def compare_graph(report, edges, label, comparison):
    graph = report["dependency_graph"]
    comparison.equal("packages of the graph", graph["packages"], len(edges))
    comparison.equal("edges", graph["edges"], sum(map(len, edges.values())))
    found = components(edges)
    comparison.equal("components", graph["components"], len(found))
    comparison.equal("cycles", sorted(map(sorted, graph["cycles"])),
                     sorted(sorted(map(label, members)) for members in found if len(members) > 1))

    ranked = graph["page_rank"]
    comparison.equal("damping", ranked["damping"], DAMPING)
    comparison.true("the ranks converged", ranked["delta"] < 1e-10 and ranked["rounds"] <= 200)
    reported = {row["package"]: row["rank"] for row in ranked["ranks"]}
    expected = {label(node): rank for node, rank in page_rank(edges).items()}
    comparison.equal("ranked packages", sorted(reported), sorted(expected))
    for name in sorted(set(reported) & set(expected)):
        # A last change below 1e-10 leaves less than 0.85 / 0.15 times that between the report and the limit.
        comparison.true(f"rank of {name} ({reported[name]}, expected {expected[name]})",
                        abs(reported[name] - expected[name]) < 1e-9)
    order = [row["rank"] for row in ranked["ranks"]]
    comparison.equal("order of ranks", order, sorted(order, reverse=True))


def compare_reverse(report, edges, label, comparison):
    reverse, back = report["reverse_dependencies"], turned_round(edges)
    targets = {node for node in edges if reverse["package"] in (node[0], node[0] + ":" + node[1])}
    direct = set().union(*(back[target] for target in targets)) - targets
    for kind, expected in (("direct", direct), ("transitive", reach(back, targets))):
        comparison.equal(f"{kind} reverse dependencies", sorted(reverse[kind]["packages"]),
                         sorted(map(label, expected)))
        comparison.equal(f"number of {kind} reverse dependencies", reverse[kind]["count"], len(expected))


def compare(path):
    """Compares the report at `path`, prints what differs or that nothing does, and returns the exit status."""
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    comparison = Comparison()
    status_file = report["status_file"]
    packages, others = read_status_file(status_file)
    comparison.equal("packages", report["packages"], len(packages))
    comparison.equal("skipped", report["skipped"], others)
    asked_dpkg = os.path.basename(status_file) == "status"
    if asked_dpkg:
        # From here on everything is computed from what dpkg-query says; our own reading of the file must agree with it.
        from_dpkg = ask_dpkg(os.path.abspath(status_file))
        comparison.equal("this test's reading of the status file", by_identity(packages), by_identity(from_dpkg))
        packages = from_dpkg

    architectures = collections.Counter(package["Package"] for package in packages)
    edges, unmet = resolve(packages)
    comparison.equal("unmet relations", len(report["unmet"]), unmet)

    def label(node):
        return node[0] + ":" + node[1] if architectures[node[0]] > 1 else node[0]

    compare_tallies(report, packages, comparison)
    compare_graph(report, edges, label, comparison)
    compare_reverse(report, edges, label, comparison)
    with open(os.path.splitext(path)[0] + ".md", encoding="utf-8") as file:
        markdown = file.read()
    for figure in (f"{len(packages)} packages, ", f"{report['dependency_graph']['edges']} edges; ",
                   f"{report['reverse_dependencies']['direct']['count']} packages depend on it directly, "):
        comparison.true(f"the Markdown report says \"{figure}\"", figure in markdown)

    source = "dpkg-query and an independent computation" if asked_dpkg else "an independent computation"
    if comparison.differences:
        print(f"{comparison.differences} of {comparison.compared} figures of {path} differ from {source}.")
        return 1
    print(f"{comparison.compared} figures of {path} agree with {source}: {len(packages)} packages, "
          f"{report['dependency_graph']['edges']} dependencies, "
          f"{len(report['dependency_graph']['cycles'])} cycles.")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(compare(sys.argv[1]))
