"""Random conditions: migsafe finds no proof that a server does not find."""

import random

import psycopg
import pytest
from psycopg import Connection

from tests.expressions.test_proofs import Case, connection, is_proved, is_proved_by_server

__all__ = ["connection"]

pytestmark = pytest.mark.server


class Conditions:
    """A generator of random conditions that the proofs support, from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.types = {column: self.choose("int", "int", "date", "timestamptz", "text", "bool", "numeric") for column in "ab"}

    def choose(self, *choices: str) -> str:
        return self.random.choice(choices)

    def constant(self, column: str) -> str:
        n = self.random.randint(0, 6)
        match self.types[column]:
            case "int":
                return self.choose(f"{n}", f"{n}", f"'{n}'", f"{n}::bigint", f"-{n}", f"{n}.5")
            case "date" | "timestamptz":
                day = f"2025-01-0{n + 1}"
                return self.choose(f"'{day}'", f"'{day}'::date", f"'{day} 10:00'::timestamp", f"'{day}'::timestamptz", f"'{day} 00:00:00+01'")
            case "text":
                return self.choose(f"'k{n}'", f"'k{n}'::text", f"'k{n}'::varchar")
            case "bool":
                return self.choose("true", "false", "'t'")
        return self.choose(f"{n}", f"{n}.50", f"'{n}'", f"{n}::int")

    def comparison(self) -> str:
        column = self.choose(*"ab")
        constants = [self.constant(column) for _ in range(self.random.randint(1, 3))]
        return self.choose(
            f"{column} IS NULL",
            f"{column} IS NOT NULL",
            f"{column} IN ({', '.join(constants)})",
            f"{column} NOT IN ({', '.join(constants)})",
            f"{column} = ANY (ARRAY[{', '.join(constants)}])",
            f"{column} BETWEEN {constants[0]} AND {constants[-1]}",
            *[f"{column} {self.choose('<', '<=', '=', '>=', '>', '<>')} {constants[0]}"] * 6,
        )

    def condition(self, depth: int) -> str:
        if not depth or self.random.random() < 0.3:
            return self.comparison()
        left, right = self.condition(depth - 1), self.condition(depth - 1)
        return self.choose(
            f"({left}) AND ({right})", f"({left}) AND ({right})", f"({left}) OR ({right})", f"NOT ({left})", f"({left}) <> false"
        )

    def value(self, column: str, n: int) -> str:
        by_type = {"date": f"'2025-01-0{n + 1}'", "timestamptz": f"'2025-01-0{n + 1}'", "text": f"'k{n}'", "bool": ("false", "true")[n % 2]}
        return by_type.get(self.types[column], f"{n}")

    def case(self) -> Case:
        columns = ", ".join(f"{column} {self.types[column]}{self.choose('', ' NOT NULL')}" for column in "ab")
        first, last = self.random.randint(0, 3), self.random.randint(4, 6)
        if self.types["a"] == "bool" or self.random.random() < 0.5:
            listed = {self.value("a", self.random.randint(0, 6)) for _ in range(2)} | {self.choose("NULL", self.value("a", first))}
            key, values = "LIST (a)", f"IN ({', '.join(sorted(listed))})"
        else:
            key, values = "RANGE (a)", f"FROM ({self.value('a', first)}) TO ({self.value('a', last)})"
        checks = "; ".join(self.condition(3) for _ in range(2))
        return Case(f"{columns} | {key} | {values}", "", checks, self.choose("partition", "default", "last"))


def test_servers_find_every_proof(connection: Connection) -> None:
    """Random conditions, the same in every run."""
    proofs, wrong, missed = 0, [], 0
    for seed in range(400):
        case = Conditions(seed).case()
        try:
            by_server = is_proved_by_server(connection, case)
        except psycopg.Error:
            continue  # PostgreSQL has no such operator
        by_migsafe = is_proved(case)
        proofs += by_migsafe
        if by_migsafe and not by_server:
            wrong.append(str(case))
        missed += by_server and not by_migsafe
    assert wrong == []
    assert proofs > 20
    assert missed < proofs / 4
