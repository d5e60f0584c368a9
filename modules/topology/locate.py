"""Where in the text a value stands: line numbers, the text as it was typed, keys that are written twice."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from modules.topology.problem import ROOT, Path, Problem

# The parser in C where PyYAML has it: a file with thousands of entries is read in a tenth of the time.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Locator:
    """Looks up paths below `root`, `stacklab:lab` by default. Without a text every look-up finds nothing."""

    def __init__(self, text: str | None, root: Path = ROOT) -> None:
        self._root = root
        self._lines: dict[Path, int] = {}
        self._typed: dict[Path, str] = {}
        self._twice: list[tuple[Path, int, int]] = []
        if text is not None:
            tree = yaml.compose(text, Loader=_LOADER)
            if tree is not None:
                self._walk(tree, (), set())

    def line(self, path: Path) -> int | None:
        """The line (from 1) of the key, or of the nearest thing around it."""
        full = self._root + path
        return next((self._lines[full[:n]] for n in range(len(full), 0, -1) if full[:n] in self._lines), None)

    def typed(self, path: Path) -> str:
        """The characters of a plain value as they are in the file."""
        return self._typed.get(self._root + path, "")

    def twice(self) -> Iterator[Problem]:
        """YAML silently takes the last of two keys of the same name."""
        for path, first, second in self._twice:
            if path[: len(self._root)] == self._root:
                yield Problem(
                    path[len(self._root) :],
                    "this key is written twice; YAML would silently take the second",
                    hint=f"keep one of lines {first} and {second}",
                    line=second,
                )

    def _walk(self, node: yaml.Node, path: Path, above: set[int]) -> None:
        if id(node) in above:  # an alias to something around it
            return
        above = above | {id(node)}
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*path, key.value if isinstance(key, yaml.ScalarNode) else "?")
                here = key.start_mark.line + 1
                if inner in self._lines and key.tag != "tag:yaml.org,2002:merge":
                    self._twice.append((inner, self._lines[inner], here))
                self._lines[inner] = here
                self._walk(value, inner, above)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self._lines[(*path, index)] = value.start_mark.line + 1
                self._walk(value, (*path, index), above)
        elif isinstance(node, yaml.ScalarNode):
            self._typed[path] = node.value
