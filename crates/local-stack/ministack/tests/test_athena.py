"""Athena, as a client of its API and Glue's sees it: queries are executed, on what Glue declares."""

import base64
import decimal
import datetime
import gzip
import io
import json
import unittest

import pyarrow
import pyarrow.parquet

from stack import OneStack, eventually

JSON = {"SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"}}
PARQUET = {"SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"}}


class AthenaStack(OneStack):
    """A bucket and a database of each test's own."""

    def setUp(self):
        self.s3, self.glue, self.athena = map(self.stack.client, ("s3", "glue", "athena"))
        self.bucket, self.database = self.name, self.name.replace("-", "_")
        self.s3.create_bucket(Bucket=self.bucket)
        self.glue.create_database(DatabaseInput={"Name": self.database})

    def put(self, key, body):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def put_lines(self, key, *rows):
        """Lines of JSON, compressed as the key says."""
        text = "".join(json.dumps(row) + "\n" for row in rows).encode()
        if key.endswith(".gz"):
            text = gzip.compress(text)
        if key.endswith(".zst"):
            text = pyarrow.compress(text, codec="zstd", asbytes=True)
        self.put(key, text)

    def put_parquet(self, key, columns):
        file = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.table(columns), file)
        self.put(key, file.getvalue())

    def table(self, name, storage, columns, *partition_keys, prefix="data/"):
        descriptor = {**storage, "Columns": typed(columns), "Location": f"s3://{self.bucket}/{prefix}"}
        keys = [{"Name": key, "Type": "string"} for key in partition_keys]
        table = {"Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": descriptor, "PartitionKeys": keys}
        self.glue.create_table(DatabaseName=self.database, TableInput=table)

    def register(self, table, values, prefix):
        """The answer of BatchCreatePartition for one partition."""
        storage = {**JSON, "Location": f"s3://{self.bucket}/{prefix}"}
        partition = {"Values": values, "StorageDescriptor": storage}
        return self.glue.batch_create_partition(
            DatabaseName=self.database, TableName=table, PartitionInputList=[partition]
        )["Errors"]

    def view(self, name, query, columns, schema=None, **fields):
        text = json.dumps({
            "originalSql": query,
            "catalog": "awsdatacatalog",
            "schema": schema or self.database,
            "columns": [{"name": column, "type": kind} for column, kind in columns.items()],
        })
        view = {
            "Name": name,
            "TableType": "VIRTUAL_VIEW",
            "Parameters": {"presto_view": "true"},
            "StorageDescriptor": {"Columns": typed({column: "string" for column in columns})},
            "ViewOriginalText": f"/* Presto View: {base64.b64encode(text.encode()).decode()} */",
            "ViewExpandedText": "/* Presto View */",
            **fields,
        }
        self.glue.create_table(DatabaseName=self.database, TableInput=view)

    def execution(self, query, **options):
        """The description of a query when it has ended."""
        options.setdefault("ResultConfiguration", {"OutputLocation": f"s3://{self.bucket}/results/"})
        started = self.athena.start_query_execution(
            QueryString=query, QueryExecutionContext={"Database": self.database}, **options
        )

        def ended():
            execution = self.athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])["QueryExecution"]
            return execution if execution["Status"]["State"] not in ("QUEUED", "RUNNING") else None

        return eventually(ended, 20)

    def rows(self, query):
        execution = self.execution(query)
        self.assertEqual(execution["Status"]["State"], "SUCCEEDED", execution["Status"].get("StateChangeReason"))
        results = self.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]["Rows"]
        return [tuple(value.get("VarCharValue") for value in row["Data"]) for row in results[1:]]

    def reason(self, query):
        """Why the query fails."""
        status = self.execution(query)["Status"]
        self.assertEqual(status["State"], "FAILED")
        return status["StateChangeReason"]


def typed(columns):
    return [{"Name": name, "Type": kind} for name, kind in columns.items()]


class JsonTables(AthenaStack):
    COLUMNS = {"id": "string", "amount": "string", "born": "string"}

    def test_columns_are_what_glue_declares(self):
        """Guesses would make numbers and dates of these, and drop what only other files have."""
        self.table("raw", JSON, self.COLUMNS)
        self.put_lines("data/1.json", {"id": "007", "amount": "1.10", "other": "x"})
        self.put_lines("data/deep/er/2.json.gz", {"id": "2", "born": "2026-01-02"})
        self.put_lines("data/3.json.zst", {"id": "3", "amount": None})
        self.put_lines("data/_hidden.json", {"id": "4"})
        self.put_lines("data/.deep/5.json", {"id": "5"})
        self.put_lines("elsewhere/6.json", {"id": "6"})
        rows = self.rows("SELECT * FROM raw ORDER BY id")
        self.assertEqual(rows, [("007", "1.10", None), ("2", None, "2026-01-02"), ("3", None, None)])

    def test_types_are_what_glue_declares(self):
        self.table("typed", JSON, {"amount": "decimal(38,9)", "count": "bigint", "yes": "boolean", "at": "timestamp"})
        self.put("data/1.json", b'{"amount":"12345678901234567890123456789.123456789","count":1,"yes":true,"at":"2026-01-02 03:04:05"}\n')
        self.put("data/2.json", b'{"amount":"0.000000001"}\n')
        rows = self.rows("SELECT * FROM typed ORDER BY amount")
        self.assertEqual(rows[0], ("0.000000001", None, None, None))
        self.assertEqual(rows[1], ("12345678901234567890123456789.123456789", "1", "true", "2026-01-02 03:04:05.000"))

    def test_a_table_without_files_is_empty(self):
        self.table("raw", JSON, self.COLUMNS, "year")
        self.assertEqual(self.rows("SELECT * FROM raw"), [])
        self.assertEqual(self.rows("SELECT count(*), max(year) FROM raw"), [("0", None)])

    def test_partitions_are_the_registered_ones(self):
        """Whatever the folders' names: another case, escapes, another order of keys, or no keys at all."""
        self.table("raw", JSON, {"id": "string"}, "itemtype", "year")
        self.put_lines("data/itemType=A%3AB/year=2026/1.json", {"id": "1"})
        self.put_lines("data/itemType=C/year=2026/2.json", {"id": "2"})
        self.put_lines("data/itemType=__HIVE_DEFAULT_PARTITION__/year=2026/3.json", {"id": "3"})
        self.put_lines("elsewhere/4.json", {"id": "4"})
        self.assertEqual(self.rows("SELECT * FROM raw"), [])
        self.register("raw", ["A:B", "2026"], "data/itemType=A%3AB/year=2026")
        self.register("raw", ["__HIVE_DEFAULT_PARTITION__", "2026"], "data/itemType=__HIVE_DEFAULT_PARTITION__/year=2026/")
        self.register("raw", ["D", "1999"], "elsewhere/")
        self.register("raw", ["E", "1999"], "nowhere/")
        rows = self.rows("SELECT * FROM raw ORDER BY id")
        self.assertEqual(rows, [("1", "A:B", "2026"), ("3", None, "2026"), ("4", "D", "1999")])
        self.assertEqual(self.rows("SELECT id FROM raw WHERE itemtype IS NULL AND year = '2026'"), [("3",)])

    def test_a_file_that_is_no_json_fails_the_query(self):
        self.table("raw", JSON, self.COLUMNS)
        self.put("data/1.json", b"{\n")
        self.reason("SELECT * FROM raw")


class ParquetTables(AthenaStack):
    AMOUNT = pyarrow.decimal128(38, 9)

    def test_columns_are_what_glue_declares_by_name(self):
        self.table("compact", PARQUET, {"id": "string", "amount": "decimal(38,9)", "at": "timestamp", "later": "bigint"})
        amount = decimal.Decimal("12345678901234567890123456789.123456789")
        at = datetime.datetime(2026, 1, 2, 3, 4, 5, 678_900)
        self.put_parquet("data/1.parquet", {
            "dropped": ["x"],
            "at": pyarrow.array([at], pyarrow.timestamp("us")),
            "amount": pyarrow.array([amount], self.AMOUNT),
            "id": ["1"],
        })
        self.put_parquet("data/deep/2.parquet", {
            "id": ["2"],
            "amount": pyarrow.array([decimal.Decimal("1.10")], pyarrow.decimal128(9, 2)),
            "later": pyarrow.array([7], pyarrow.int32()),
        })
        self.put_parquet("data/3.parquet", {"id": ["3"]})
        rows = self.rows("SELECT * FROM compact ORDER BY id")
        self.assertEqual(rows[0], ("1", str(amount), "2026-01-02 03:04:05.679", None))
        self.assertEqual(rows[1], ("2", "1.100000000", None, "7"))
        self.assertEqual(rows[2], ("3", None, None, None))

    def test_a_column_of_another_type_fails_the_query(self):
        for number, (declared, stored) in enumerate((
            ("string", pyarrow.array([1])),
            ("bigint", pyarrow.array(["1"])),
            ("int", pyarrow.array([1], pyarrow.int64())),
            ("decimal(9,2)", pyarrow.array([decimal.Decimal("1.123")], pyarrow.decimal128(9, 3))),
        )):
            with self.subTest(declared=declared):
                self.table(f"table{number}", PARQUET, {"value": declared}, prefix=f"{number}/")
                self.put_parquet(f"{number}/1.parquet", {"value": stored})
                self.assertIn("HIVE_BAD_DATA", self.reason(f"SELECT * FROM table{number}"))

    def test_partitions_are_the_registered_ones(self):
        self.table("compact", PARQUET, {"id": "string"}, "itemtype")
        for kind in "AB":
            self.put_parquet(f"data/itemType={kind}/1.parquet", {"id": [kind.lower()]})
        self.register("compact", ["A"], "data/itemType=A/")
        self.assertEqual(self.rows("SELECT * FROM compact"), [("a", "A")])


class Views(AthenaStack):
    def setUp(self):
        super().setUp()
        self.table("raw", JSON, {"id": "string", "amount": "string"})
        self.put_lines("data/1.json", {"id": "1", "amount": "1.50"}, {"id": "2", "amount": "3"})

    def test_views_of_views_under_any_name(self):
        self.view("amounts", "SELECT id, CAST(amount AS decimal(9,2)) AS amount FROM raw", {"id": "varchar", "amount": "decimal(9,2)"})
        self.view("Large", f'SELECT id FROM "{self.database}"."amounts" WHERE amount > 2', {"id": "varchar"})
        for query in (
            "SELECT id FROM large",
            f'SELECT id FROM "AwsDataCatalog"."{self.database}"."large"',
            f"SELECT large.id FROM {self.database}.large",
            "WITH raw AS (SELECT id FROM large) SELECT l.id FROM raw l, amounts a WHERE a.id = l.id",
            "SELECT id FROM raw WHERE id IN (SELECT id FROM large) UNION SELECT id FROM large",
        ):
            with self.subTest(query):
                self.assertEqual(self.rows(query), [("2",)])
        self.assertEqual(self.rows("SELECT sum(amount) FROM amounts"), [("4.50",)])

    def test_names_in_a_view_are_those_of_its_schema(self):
        other = f"{self.database}_other"
        self.glue.create_database(DatabaseInput={"Name": other})
        self.glue.create_table(DatabaseName=other, TableInput={
            "Name": "raw",
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {**JSON, "Columns": typed({"id": "string"}), "Location": f"s3://{self.bucket}/other/"},
        })
        self.put_lines("other/1.json", {"id": "other"})
        self.view("elsewhere", "SELECT id FROM raw", {"id": "varchar"}, schema=other)
        self.assertEqual(self.rows("SELECT id FROM elsewhere"), [("other",)])

    def test_of_json_a_scalar_has_a_text_and_all_else_has_none(self):
        members = {"text": "a", "number": 5, "yes": True, "none": None, "array": [], "map": {}}
        names = [*members, "missing"]
        extracted = ", ".join(f"json_extract_scalar('{json.dumps(members)}', '$.{name}') AS {name}_of" for name in names)
        self.view("scalars", f"SELECT {extracted}", {f"{name}_of": "varchar" for name in names})
        self.assertEqual(self.rows("SELECT * FROM scalars"), [("a", "5", "true", None, None, None, None)])

    def test_a_view_is_refused_as_on_aws(self):
        columns = {"id": "varchar"}
        self.view("stale", "SELECT * FROM raw", columns)
        self.view("itself", "SELECT id FROM itself", columns)
        self.view("hive", "SELECT id FROM raw", columns, Parameters={})
        self.view("torn", "SELECT id FROM raw", columns, ViewOriginalText="/* Presto View: e30= */")
        for view, reason in (
            ("stale", "stale or in invalid state"),
            ("itself", "recursive"),
            ("hive", "no view of Athena"),
            ("torn", "cannot be decoded"),
            ("missing", "does not exist"),
        ):
            with self.subTest(view):
                self.assertIn(reason, self.reason(f"SELECT * FROM {view}"))


class Results(AthenaStack):
    def workgroup(self, **configuration):
        self.athena.create_work_group(Name=self.name, Configuration=configuration)
        return {"WorkGroup": self.name}

    def location(self, **options):
        return self.execution("SELECT 1 AS one", **options)["ResultConfiguration"]["OutputLocation"].rpartition("/")[0]

    def test_the_result_is_where_it_is_said_to_be(self):
        execution = self.execution("""SELECT 'a "b"' AS "text", true AS yes, CAST(0.000000001 AS decimal(38,9)) AS small, NULL AS none""")
        bucket, _, key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
        lines = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        self.assertEqual(lines, '"text","yes","small","none"\n"a ""b""","true","0.000000001",\n')

    def test_a_location_without_its_slash_is_a_folder(self):
        location = f"s3://{self.bucket}/folder"
        self.assertEqual(self.location(ResultConfiguration={"OutputLocation": location}), location)

    def test_a_workgroup_may_enforce_its_location(self):
        location = f"s3://{self.bucket}/enforced"
        options = self.workgroup(EnforceWorkGroupConfiguration=True, ResultConfiguration={"OutputLocation": location})
        self.assertEqual(self.location(**options), location)

    def test_a_workgroup_may_leave_the_location_to_the_query(self):
        location = f"s3://{self.bucket}/default"
        options = self.workgroup(EnforceWorkGroupConfiguration=False, ResultConfiguration={"OutputLocation": location})
        self.assertEqual(self.location(**options), f"s3://{self.bucket}/results")
        self.assertEqual(self.location(**options, ResultConfiguration={}), location)

    def test_a_workgroup_that_does_not_exist_is_refused(self):
        with self.assertRaises(self.athena.exceptions.InvalidRequestException):
            self.execution("SELECT 1", WorkGroup="missing")


class Templates(AthenaStack):
    def resources(self, version):
        name = f"{self.database}_deployed"
        return {
            "Database": {"Type": "AWS::Glue::Database", "Properties": {"CatalogId": "000000000000", "DatabaseInput": {"Name": name}}},
            "Table": {
                "Type": "AWS::Glue::Table",
                "DependsOn": "Database",
                "Properties": {
                    "CatalogId": "000000000000",
                    "DatabaseName": name,
                    "TableInput": {
                        "Name": "table",
                        "TableType": "EXTERNAL_TABLE",
                        "Parameters": {"version": version},
                        "StorageDescriptor": {**JSON, "Columns": typed({version: "string"}), "Location": f"s3://{self.bucket}/x/"},
                        "PartitionKeys": typed({"year": "string"}),
                    },
                },
            },
            "WorkGroup": {
                "Type": "AWS::Athena::WorkGroup",
                "Properties": {
                    "Name": self.name,
                    "RecursiveDeleteOption": True,
                    "WorkGroupConfiguration": {
                        "EnforceWorkGroupConfiguration": True,
                        "BytesScannedCutoffPerQuery": 10_000_000,
                        "ResultConfiguration": {"OutputLocation": f"s3://{self.bucket}/{version}/"},
                    },
                },
            },
            "Query": {
                "Type": "AWS::Athena::NamedQuery",
                "Properties": {
                    "Name": "named",
                    "Database": name,
                    "WorkGroup": {"Ref": "WorkGroup"},
                    "QueryString": f"SELECT '{version}' AS version",
                },
            },
        }

    def assert_deployed(self, version):
        name = f"{self.database}_deployed"
        table = self.glue.get_table(DatabaseName=name, Name="table")["Table"]
        self.assertEqual(table["StorageDescriptor"]["Columns"], typed({version: "string"}))
        self.assertEqual(table["Parameters"], {"version": version})
        configuration = self.athena.get_work_group(WorkGroup=self.name)["WorkGroup"]["Configuration"]
        self.assertEqual(configuration["BytesScannedCutoffPerQuery"], 10_000_000)
        [query_id] = self.athena.list_named_queries(WorkGroup=self.name)["NamedQueryIds"]
        query = self.athena.get_named_query(NamedQueryId=query_id)["NamedQuery"]
        self.assertEqual((query["Name"], query["Database"]), ("named", name))
        execution = self.execution(query["QueryString"], WorkGroup=self.name)
        self.assertEqual(execution["Status"]["State"], "SUCCEEDED")
        self.assertTrue(execution["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{self.bucket}/{version}/"))

    def test_template_creates_updates_and_deletes(self):
        self.assertEqual(self.stack.deploy(self.name, **self.resources("one")), "CREATE_COMPLETE")
        self.assert_deployed("one")
        self.register_in_deployed()
        self.assertEqual(self.stack.deploy(self.name, **self.resources("two")), "UPDATE_COMPLETE")
        self.assert_deployed("two")
        self.assertEqual(len(self.deployed_partitions()), 1, "an update of the table keeps its partitions")
        self.assertEqual(self.stack.delete(self.name), "DELETE_COMPLETE")
        self.assertEqual(self.athena.list_named_queries(WorkGroup=self.name)["NamedQueryIds"], [])
        with self.assertRaises(self.glue.exceptions.EntityNotFoundException):
            self.glue.get_database(Name=f"{self.database}_deployed")

    def register_in_deployed(self):
        storage = {**JSON, "Location": f"s3://{self.bucket}/x/year=2026/"}
        self.glue.batch_create_partition(
            DatabaseName=f"{self.database}_deployed",
            TableName="table",
            PartitionInputList=[{"Values": ["2026"], "StorageDescriptor": storage}],
        )

    def deployed_partitions(self):
        return self.glue.get_partitions(DatabaseName=f"{self.database}_deployed", TableName="table")["Partitions"]


class Partitions(AthenaStack):
    def setUp(self):
        super().setUp()
        self.table("raw", JSON, {"id": "string"}, "year", "month")

    def test_a_partition_is_registered_once(self):
        self.assertEqual(self.register("raw", ["2026", "01"], "a/"), [])
        [error] = self.register("raw", ["2026", "01"], "b/")
        self.assertEqual(error["PartitionValues"], ["2026", "01"])
        self.assertEqual(error["ErrorDetail"]["ErrorCode"], "AlreadyExistsException")
        [partition] = self.glue.get_partitions(DatabaseName=self.database, TableName="raw")["Partitions"]
        self.assertTrue(partition["StorageDescriptor"]["Location"].endswith("/a/"))

    def test_what_cannot_be_a_partition_is_refused(self):
        with self.assertRaises(self.glue.exceptions.EntityNotFoundException):
            self.register("missing", ["2026", "01"], "a/")
        with self.assertRaises(self.glue.exceptions.InvalidInputException):
            self.register("raw", ["2026"], "a/")

    def test_a_request_has_at_most_a_hundred(self):
        def register(count):
            partitions = [{"Values": ["2026", str(month)]} for month in range(count)]
            self.glue.batch_create_partition(DatabaseName=self.database, TableName="raw", PartitionInputList=partitions)

        with self.assertRaises(self.glue.exceptions.InvalidInputException):
            register(101)
        self.assertEqual(self.glue.get_partitions(DatabaseName=self.database, TableName="raw")["Partitions"], [])
        register(100)


class Objects(AthenaStack):
    """What MiniStack does by itself, and users of the stack rely on."""

    def test_an_object_is_written_only_where_there_is_none(self):
        written = {"Bucket": self.bucket, "Key": "once", "IfNoneMatch": "*"}
        self.s3.put_object(**written, Body=b"1", Metadata={"rows": "1"})
        with self.assertRaises(self.s3.exceptions.ClientError) as refused:
            self.s3.put_object(**written, Body=b"2")
        self.assertEqual(refused.exception.response["ResponseMetadata"]["HTTPStatusCode"], 412)
        self.assertEqual(refused.exception.response["Error"]["Code"], "PreconditionFailed")
        found = self.s3.get_object(Bucket=self.bucket, Key="once")
        self.assertEqual((found["Body"].read(), found["Metadata"]), (b"1", {"rows": "1"}))
        self.assertEqual(self.s3.head_object(Bucket=self.bucket, Key="once")["Metadata"], {"rows": "1"})


if __name__ == "__main__":
    unittest.main()
