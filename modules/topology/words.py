"""What the schema says about a place in the stack file, in words. Messages take their "allowed" from here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from modules.topology.problem import Path, listing

Node = Mapping[str, Any]

_KEYS = "a mapping with the keys "


class Schema:
    """A JSON schema that can be asked about one path."""

    def __init__(self, root: Node) -> None:
        self._root = root

    def allowed(self, path: Path) -> str:
        """What may stand there: "a whole number from 1 to 9"."""
        return self._words(self._at(path))

    def keys(self, path: Path) -> tuple[str, ...]:
        """The keys a mapping there may have."""
        return tuple(dict.fromkeys(key for node in self._at(path) for key in node.get("properties", {})))

    def key(self, path: Path) -> str:
        """What may be the name of a key there."""
        names = [node["propertyNames"] for node in self._at(path) if "propertyNames" in node]
        return self._words(names)

    def choices(self, path: Path) -> tuple[str, ...]:
        """The fixed words that may stand there."""
        return tuple(str(word) for node in self._at(path) for word in _enum(node))

    def fits(self, path: Path, text: str) -> bool:
        """Whether this text could stand there, as far as the schema can tell."""
        return any(
            text in _enum(node) if _enum(node) else bool(re.search(node.get("pattern", ""), text))
            for node in self._at(path)
            if "string" in _kinds(node)
        )

    def kinds(self, path: Path) -> frozenset[str]:
        """The JSON types that may stand there."""
        return frozenset(kind for node in self._at(path) for kind in _kinds(node))

    def elsewhere(self, key: str) -> tuple[str, ...]:
        """Other places that have a key of that name, as they are written in the documentation."""
        return tuple(path for path, _ in self.every() if path.rpartition(".")[2] == key)

    def every(self) -> Iterator[tuple[str, Node]]:
        """Every key with its node: apps[].expose[].nodeport.port"""
        yield from self._below("", self._root, 0)

    def _below(self, path: str, node: Node, depth: int) -> Iterator[tuple[str, Node]]:
        for variant in self._variants(node):
            for key, inner in variant.get("properties", {}).items():
                inside = f"{path}.{key}" if path else key
                yield inside, self._merged(inner)
                yield from self._below(inside, inner, depth + 1)
            if "items" in variant:
                yield from self._below(f"{path}[]", variant["items"], depth + 1)

    def _merged(self, node: Node) -> Node:
        """The node with what it refers to."""
        if "$ref" not in node:
            return node
        target: Any = self._root
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return {**target, **{key: value for key, value in node.items() if key != "$ref"}}

    def _variants(self, node: Node) -> list[Node]:
        """The node itself, or what it refers to or chooses from; null is left out."""
        if "$ref" in node:
            return self._variants(self._merged(node))
        for word in ("anyOf", "oneOf", "allOf"):
            if word in node:
                return [variant for choice in node[word] for variant in self._variants(choice)]
        return [] if node.get("type") == "null" else [node]

    def _at(self, path: Path) -> list[Node]:
        nodes = self._variants(self._root)
        for step in path:
            inner: list[Node] = []
            for node in nodes:
                if isinstance(step, int):
                    inner += self._variants(node["items"]) if "items" in node else []
                elif step in node.get("properties", {}):
                    inner += self._variants(node["properties"][step])
                elif "patternProperties" in node:
                    inner += [v for n in node["patternProperties"].values() for v in self._variants(n)]
                elif isinstance(node.get("additionalProperties"), Mapping):
                    inner += self._variants(node["additionalProperties"])
            nodes = inner
        return nodes

    def _words(self, nodes: list[Node]) -> str:
        if len(nodes) > 1 and all(len(n.get("required", ())) == 1 == len(n.get("properties", {})) for n in nodes):
            return f"one key out of {listing(n['required'][0] for n in nodes)}, with its settings"
        return ", or ".join(dict.fromkeys(text for text in map(self._word, nodes) if text))

    def _word(self, node: Node) -> str:
        if "x-allowed" in node:
            return str(node["x-allowed"])
        if words := _enum(node):
            return listing(words)
        kinds = _kinds(node)
        if "integer" in kinds or "number" in kinds:
            return _number(node, "a whole number" if "integer" in kinds else "a number")
        if "array" in kinds:
            return self._list(node)
        if "object" in kinds:
            keys = ", ".join(node.get("properties", {}))
            return f"{_KEYS}{keys}" if keys else "a mapping" if _open(node) else "no keys: {}"
        return {"boolean": "true or false", "string": "text"}.get(kinds[0] if kinds else "", "")

    def _list(self, node: Node) -> str:
        inner = self._words(self._variants(node.get("items", {})))
        low, high = node.get("minItems"), node.get("maxItems")
        count = f"{low} to {high} " if low and high else f"at least {low} " if low else f"up to {high} " if high else ""
        if inner.startswith(_KEYS):
            inner = f"{{{inner.removeprefix(_KEYS)}}}"
        return f"a list of {count}{'items, each ' if inner else 'items'}{inner}"


def _open(node: Node) -> bool:
    return "patternProperties" in node or node.get("additionalProperties", True) is not False


def _enum(node: Node) -> list[Any]:
    return [node["const"]] if "const" in node else list(node.get("enum", ()))


def _kinds(node: Node) -> tuple[str, ...]:
    kind = node.get("type", "string" if "enum" in node or "const" in node else ())
    return (kind,) if isinstance(kind, str) else tuple(kind)


def _number(node: Node, word: str) -> str:
    low = node.get("minimum", node.get("exclusiveMinimum"))
    high = node.get("maximum", node.get("exclusiveMaximum"))
    if low is not None and high is not None:
        return f"{word} from {low} to {high}"
    return f"{word} of at least {low}" if low is not None else f"{word} of at most {high}" if high is not None else word
