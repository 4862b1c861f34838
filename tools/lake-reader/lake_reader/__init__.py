"""Reads a lake of Tributary from its bucket, in two ways that share no code where it matters: DuckDB and pyarrow."""
