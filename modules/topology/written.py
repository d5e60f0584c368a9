"""How a value is written in a stack file: a parser, and the words that say what is allowed.

Messages and the editor's schema take those words (`x-allowed`) from the same place. Numbers and texts are never
converted into each other, because YAML reads 1.30 as 1.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

T = TypeVar("T")


def wrong(what: str, hint: str = "") -> PydanticCustomError:
    """An error of a value; hint is what to write instead."""
    return PydanticCustomError("stacklab", "{what}", {"what": what, "hint": hint})


def a_text(value: object) -> str:
    """The value, which must be a text."""
    if not isinstance(value, str):
        raise wrong("text is wanted here")
    return value


@dataclass(frozen=True)
class Written:
    """Goes into Annotated[...]: the value is what `parse` makes of it; `allowed` and `example` are for people."""

    parse: Callable[[object], Any]
    allowed: str
    example: str
    pattern: str = ""
    kind: str = "string"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        kinds = self.kind.split("|")
        shown: JsonSchemaValue = {"type": kinds[0] if len(kinds) == 1 else kinds}
        if self.pattern:
            shown["pattern"] = f"^(?:{self.pattern})$"
        return {**shown, "x-allowed": self.allowed, "examples": [self.example]}


def matching(
    pattern: str, what: str, mend: Callable[[str], str] = str.lower, *, longest: int = 253
) -> Callable[[object], str]:
    """A parser for text of one pattern; `mend` guesses what was meant."""

    def parse(value: object) -> str:
        text = a_text(value)
        if re.fullmatch(pattern, text):
            if len(text) <= longest:
                return text
            raise wrong(f"this is too long: {len(text)} characters")
        guess = mend(text)
        raise wrong(what, guess if re.fullmatch(pattern, guess) and len(guess) <= longest else "")

    return parse


def or_word(word: str, parse: Callable[[object], T]) -> Callable[[object], T | None]:
    """`word` (none, auto) stands for no value. YAML's own null does not: it is most often a forgotten value."""

    def parse_or_word(value: object) -> T | None:
        return None if value == word else parse(value)

    return parse_or_word
