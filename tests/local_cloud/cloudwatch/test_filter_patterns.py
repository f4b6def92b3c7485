"""Filter patterns of CloudWatch Logs match as its user guide says, and what is not understood is refused."""

from __future__ import annotations

import json

import pytest

from include.local_cloud.cloudwatch.filter_patterns import compile_pattern

LINES = ["ERROR 500 disk full", "WARN 404 not found", "INFO 200 done", "error 500"]
EVENTS = [
    {"a": 1, "name": "one", "ok": True, "none": None, "list": [{"b": 5}, {"b": 7}], "a.b": "dotted"},
    {"a": 2.5, "name": "two", "ok": False, "in": {"ner": "x y"}},
]
TEXTS = [json.dumps(event) for event in EVENTS]


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ("", [0, 1, 2, 3]),
        ("  ", [0, 1, 2, 3]),
        ("ERROR", [0]),
        ("RROR", [0]),
        ("500 ERROR", [0]),
        ("?ERROR ?WARN", [0, 1]),
        ('?"not found" ?done', [1, 2]),
        ("500 -ERROR", [3]),
        ('-500 -"not found"', [2]),
        ('"disk full"', [0]),
        ("%[4-5]0[04]%", [0, 1, 3]),
        ("%^INFO% 200", [2]),
        ("500 -%[Ee]rr%", [0]),
        ("%WARN|INFO%", [1, 2]),
    ],
)
def test_terms(pattern: str, matching: list[int]) -> None:
    matches = compile_pattern(pattern)
    assert [index for index, line in enumerate(LINES) if matches(line)] == matching


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ("{ $.a = 1 }", [0]),
        ("{$.a=1}", [0]),
        ("{ $.a != 1 }", [1]),
        ("{ $.a >= 1 && $.a < 2.5e0 }", [0]),
        ("{ $.a < 2 || $.name = two }", [0, 1]),
        ('{ ($.a = 2.5 || $.a = 1) && ($.name = "t*") }', [1]),
        ('{ $.name != "t*" }', [0]),
        ("{ $.name = %^o.e$% }", [0]),
        ("{ $.name != %^o% }", [1]),
        ("{ $.ok IS TRUE }", [0]),
        ("{ $.ok IS FALSE }", [1]),
        ("{ $.none IS NULL }", [0]),
        ("{ $.none NOT EXISTS }", [1]),
        ('{ $.in.ner = "x y" }', [1]),
        ("{ $.list[1].b = 7 }", [0]),
        ("{ $.list[*].b > 6 }", [0]),
        ("{ $.list[2].b NOT EXISTS }", [0, 1]),
        ("{ $.['a.b'] = dotted }", [0]),
        ('{ $.*.ner = "*" }', [1]),
        ("{ $.missing != 1 }", []),
        ('{ $.a = "1" }', []),
        ("{ $.ok = 1 }", []),
    ],
)
def test_json_events(pattern: str, matching: list[int]) -> None:
    matches = compile_pattern(pattern)
    assert [index for index, text in enumerate(TEXTS) if matches(text)] == matching
    assert not matches("no JSON 1")


@pytest.mark.parametrize(
    "pattern",
    [
        *("a-b", "half%open", '"open', "?a b", "?a -b", "[ip, user]", "%(group)%", "%[%", "- a"),
        *(
            "{ $.a = 1",
            "{ }",
            "{ a = 1 }",
            "{ $.a }",
            "{ $.a = }",
            "{ $.a = 1 && }",
            "{ ($.a = 1 }",
            "{ $.a = 1 $.b = 2 }",
        ),
        *('{ $.a > "b" }', "{ $.a IS SOME }", "{ $.a NOT THERE }", "{ $.a ~ 1 }", "{ $.a = %(x)% }"),
    ],
)
def test_what_is_not_understood(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        compile_pattern(pattern)
