/** Pieces of SQL that Athena and DuckDB read alike. */

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Whether a path into JSON can name the member in Athena and DuckDB alike, which have different ways of quoting it. */
export function hasPath(...members: string[]): boolean {
  return members.every((member) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(member));
}

/** A member of the JSON in a column, as JSON. */
export function jsonIn(column: string, ...members: string[]): string {
  return `json_extract(${quoted(column)}, '$.${members.join('.')}')`;
}

/** Whether JSON is another value than null; NULL where there is none. */
export function isValue(json: string): string {
  return `${json} <> JSON 'null'`;
}

/**
 * A text, number or boolean in the JSON of a column, as text; NULL for all else. The function is Athena's; in DuckDB it is a
 * macro that whoever runs these statements there defines (`tools/lake-reader/lake_reader/athena_functions.py`).
 */
export function textIn(column: string, ...members: string[]): string {
  return `json_extract_scalar(${quoted(column)}, '$.${members.join('.')}')`;
}
