"""Tables over files: the columns are those that Glue declares, the partitions those that are registered."""

from ministack.services import athena, glue

from . import files
from .column_types import duckdb_type, fits, literal, quoted

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
# Athena's own name of a file, which no column of a table has.
PATH = "$path"
PARTITION_PATH = "$partition_path"


def select_table(connection, table, folder):
    """A SELECT over the table's data, which it copies into `folder`."""
    keys = [(key["Name"], duckdb_type(key["Type"])) for key in table.get("PartitionKeys") or []]
    read = {"json": select_json, "parquet": select_parquet}.get(athena._data_format(table))
    if read is None:
        return select_as_ministack(table)
    columns = [(column["Name"], duckdb_type(column["Type"])) for column in table["StorageDescriptor"].get("Columns") or []]
    partitions = []
    for values, location in locations(table):
        partitions += [(path, values) for path in files.fetch(location, folder)]
    if not partitions:
        return select_nothing(columns + keys)
    data = read(connection, columns, [path for path, _ in partitions])
    return with_partitions(data, columns, keys, partitions)


def select_as_ministack(table):
    """Other formats are read as MiniStack reads them."""
    folders = []
    paths = athena._materialize_table_files(table["StorageDescriptor"]["Location"], folders)
    return f"SELECT * FROM {athena._table_relation(table, paths) if paths else athena._empty_relation(table)}"


def locations(table):
    """Partition values and location of each part: Athena sees no partition but those in the catalog, and goes by no folder's name."""
    if not table.get("PartitionKeys"):
        return [([], table["StorageDescriptor"]["Location"])]
    registered = glue._partitions.get(f"{table['DatabaseName']}/{table['Name']}", [])
    return [(partition["Values"], partition["StorageDescriptor"]["Location"]) for partition in registered]


def with_partitions(data, columns, keys, partitions):
    """The data, and to each row the partition values of its file."""
    selected = [quoted(name) for name, _ in columns]
    selected += [f"CAST({key_column(number)} AS {kind}) AS {quoted(name)}" for number, (name, kind) in enumerate(keys)]
    if not keys:
        return f"SELECT {', '.join(selected)} FROM ({data})"
    rows = ", ".join(f"({', '.join(map(literal, [path, *map(partition_value, values)]))})" for path, values in partitions)
    names = ", ".join([quoted(PARTITION_PATH), *map(key_column, range(len(keys)))])
    return (
        f"SELECT {', '.join(selected)} FROM ({data}) JOIN (VALUES {rows}) AS partitions ({names}) "
        f"ON {quoted(PATH)} = {quoted(PARTITION_PATH)}"
    )


def key_column(number):
    return quoted(f"$key{number}")


def partition_value(value):
    return None if value == NULL_PARTITION else value


def select_nothing(columns):
    return f"SELECT {', '.join(f'CAST(NULL AS {kind}) AS {quoted(name)}' for name, kind in columns)} WHERE false"


def select_json(_connection, columns, paths):
    """Lines of JSON, compressed as the files' names say. A member that a line lacks is NULL, one that is not declared is not read."""
    declared = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns)
    return (
        f"SELECT * FROM read_json({list_of(paths)}, format = 'newline_delimited', hive_partitioning = false, "
        f"columns = {{{declared}}}, filename = {literal(PATH)})"
    )


def select_parquet(connection, columns, paths):
    """Columns by name, whatever their order in a file. One that a file lacks is NULL; one of another type fails the query."""
    alike = {}
    for path in paths:
        relation = connection.read_parquet(path, hive_partitioning=False)
        stored = tuple((name.lower(), str(kind)) for name, kind in zip(relation.columns, relation.types))
        alike.setdefault(stored, []).append(path)
    return " UNION ALL ".join(select_alike(columns, dict(stored), group) for stored, group in alike.items())


def select_alike(columns, stored, paths):
    """Over Parquet files of one schema."""
    selected = [quoted(PATH)]
    for name, kind in columns:
        found = stored.get(name.lower())
        if found and not fits(found, kind):
            raise ValueError(f"HIVE_BAD_DATA: Field {name}'s type {found} in parquet file is incompatible with type {kind} defined in table schema")
        selected.append(f"CAST({quoted(name) if found else 'NULL'} AS {kind}) AS {quoted(name)}")
    read = f"read_parquet({list_of(paths)}, hive_partitioning = false, filename = {literal(PATH)})"
    return f"SELECT {', '.join(selected)} FROM {read}"


def list_of(paths):
    return f"[{', '.join(map(literal, paths))}]"
