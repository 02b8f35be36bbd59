#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tables.py sort|join ROWS THREADS: the work of bench/tables.c by DuckDB, from a table in memory to
a table in memory. Prints "seconds rows check"."""

import sys
import time

import duckdb

MASK = (1 << 64) - 1


def table(name, rows, modulus):
    return f"""CREATE TABLE {name} AS
        SELECT ((i::HUGEINT * 2862933555777941757 + 3037000493) % {modulus})::BIGINT AS k, i AS n
        FROM range({rows}) r(i)"""


def main(what, rows, threads):
    db = duckdb.connect()
    db.execute(f"SET threads = {threads}")
    db.execute(table("a", rows, 9223372036854775783 if what == "sort" else 999983))
    if what == "join":
        db.execute(table("b", 999983, 999983))
    begin = time.perf_counter()
    if what == "sort":
        db.execute("CREATE TABLE c AS SELECT k, n FROM a ORDER BY k")
    else:
        db.execute("CREATE TABLE c AS SELECT a.k, a.n, b.n AS m FROM a JOIN b ON a.k = b.k")
    took = time.perf_counter() - begin
    check = "k % 1000003 * (rowid % 1000) + n" if what == "sort" else "k + 3 * n + 5 * m"
    count, check = db.execute(f"SELECT count(*), sum(({check})::HUGEINT) FROM c").fetchone()
    print(f"{took:.6f} {count} {int(check) & MASK:016x}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
