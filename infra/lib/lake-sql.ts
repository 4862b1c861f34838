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

/**
 * A text, number or boolean in the JSON of a column, as text. What DuckDB makes text of keeps its quotes, and its escapes, if
 * it has any; Athena's has neither. An object has no text in Athena, and must not fail the query for all other rows.
 */
export function textIn(column: string, ...members: string[]): string {
  return `trim(BOTH '"' FROM TRY_CAST(${jsonIn(column, ...members)} AS varchar))`;
}
