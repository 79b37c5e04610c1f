"""Random conditions: no proof is claimed that a server does not find."""

import random

import psycopg
from psycopg import Connection

from tests.expressions.test_proofs import Case, connection, proved, seen

__all__ = ["connection"]


class Conditions:
    """Random conditions of the kinds that the proofs know, from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.types = {column: self.one("int", "int", "date", "timestamptz", "text", "bool", "numeric") for column in "ab"}

    def one(self, *choices: str) -> str:
        return self.random.choice(choices)

    def constant(self, column: str) -> str:
        n = self.random.randint(0, 6)
        match self.types[column]:
            case "int":
                return self.one(f"{n}", f"{n}", f"'{n}'", f"{n}::bigint", f"-{n}", f"{n}.5")
            case "date" | "timestamptz":
                day = f"2025-01-0{n + 1}"
                return self.one(f"'{day}'", f"'{day}'::date", f"'{day} 10:00'::timestamp", f"'{day}'::timestamptz", f"'{day} 00:00:00+01'")
            case "text":
                return self.one(f"'k{n}'", f"'k{n}'::text", f"'k{n}'::varchar")
            case "bool":
                return self.one("true", "false", "'t'")
        return self.one(f"{n}", f"{n}.50", f"'{n}'", f"{n}::int")

    def comparison(self) -> str:
        column = self.one(*"ab")
        constants = [self.constant(column) for _ in range(self.random.randint(1, 3))]
        return self.one(
            f"{column} IS NULL",
            f"{column} IS NOT NULL",
            f"{column} IN ({', '.join(constants)})",
            f"{column} NOT IN ({', '.join(constants)})",
            f"{column} = ANY (ARRAY[{', '.join(constants)}])",
            f"{column} BETWEEN {constants[0]} AND {constants[-1]}",
            *[f"{column} {self.one('<', '<=', '=', '>=', '>', '<>')} {constants[0]}"] * 6,
        )

    def condition(self, depth: int) -> str:
        if not depth or self.random.random() < 0.3:
            return self.comparison()
        one, other = self.condition(depth - 1), self.condition(depth - 1)
        return self.one(f"({one}) AND ({other})", f"({one}) AND ({other})", f"({one}) OR ({other})", f"NOT ({one})", f"({one}) <> false")

    def value(self, column: str, n: int) -> str:
        by_type = {"date": f"'2025-01-0{n + 1}'", "timestamptz": f"'2025-01-0{n + 1}'", "text": f"'k{n}'", "bool": ("false", "true")[n % 2]}
        return by_type.get(self.types[column], f"{n}")

    def case(self) -> Case:
        columns = ", ".join(f"{column} {self.types[column]}{self.one('', ' NOT NULL')}" for column in "ab")
        first, last = self.random.randint(0, 3), self.random.randint(4, 6)
        if self.types["a"] == "bool" or self.random.random() < 0.5:
            listed = {self.value("a", self.random.randint(0, 6)) for _ in range(2)} | {self.one("NULL", self.value("a", first))}
            key, values = "LIST (a)", f"IN ({', '.join(sorted(listed))})"
        else:
            key, values = "RANGE (a)", f"FROM ({self.value('a', first)}) TO ({self.value('a', last)})"
        checks = "; ".join(self.condition(3) for _ in range(2))
        return Case(f"{columns} | {key} | {values}", "", checks, self.one("partition", "default", "last"))


def test_no_proof_is_claimed_that_servers_do_not_find(connection: Connection) -> None:
    """Random conditions, the same in every run."""
    claimed, wrong, missed = 0, [], 0
    for seed in range(400):
        case = Conditions(seed).case()
        try:
            found = seen(connection, case)
        except psycopg.Error:
            continue  # the types do not go together
        claimed += proved(case)
        if proved(case) and not found:
            wrong.append(str(case))
        missed += found and not proved(case)
    assert wrong == []
    assert claimed > 20
    assert missed < claimed / 4
