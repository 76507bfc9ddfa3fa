"""Runs one SQL file on one k6 file and prints its rows, then the seconds of the query alone."""
import sys
import time

import duckdb

sql = open(sys.argv[1]).read().replace("FILE", sys.argv[2].replace("'", "''"))
start = time.perf_counter()
rows = duckdb.sql(sql).fetchall()
seconds = time.perf_counter() - start
for variant, ok, *numbers, quantiles in rows:
    print(variant, ok, *(f"{number:.9f}" for number in numbers + quantiles))
print("measured", seconds)
