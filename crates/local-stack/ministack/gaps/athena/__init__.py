"""Athena reads the tables of the Glue catalog as they are declared, and puts its results where it says.

MiniStack executes queries with DuckDB. For each query, `engine` makes a DuckDB catalog of the Glue tables and views that it reads, at any
depth, and runs the query on it as it was written.
"""
