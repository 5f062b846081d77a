"""What the handlers of tests/e2e/plugins did, by their own account: the witness that owes nothing to the host."""

import pathlib

from waiting import until


class OwnRecord:
    """The file to which each handler appends lines, each with one write before it goes on."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def lines(self, *first_words):
        """The lines, each as its words, that begin with these."""
        if not self.path.exists():
            return []
        words = [line.split() for line in self.path.read_text(encoding="utf-8").splitlines()]
        return [line for line in words if line[:len(first_words)] == list(first_words)]

    def count(self, *first_words):
        return len(self.lines(*first_words))

    def wait_for(self, count, *first_words):
        """Those lines, once there are so many."""
        what = f"{count} lines '{' '.join(first_words)}' in {self.path.name}"
        until(what, lambda: self.count(*first_words) >= count)
        return self.lines(*first_words)
