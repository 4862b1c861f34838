/** The columns that every row has, before the declared ones; `_extra` comes after them. As in `domain::lake::columns`. */
export const fixedColumns = ['_op', '_event_id', '_sequence', '_changed_at', '_removed_by', 'id', 'sk'] as const;

/** The type of each column that every row has. */
const fixedTypes: Readonly<Record<string, string>> = { _changed_at: 'timestamp' };

/** Holds, as one JSON object, what the declared columns do not. */
export const extraColumn = '_extra';

/** The longest name that Glue takes (AWS Glue API reference, "Column"). */
const longestName = 255;

/** A column of the lake's tables, or one of their partitions. */
export interface LakeColumn {
  readonly name: string;
  /** As the options declare it: `string`, `boolean`, `bigint`, `decimal(p,s)`, `timestamp…` or `json`. */
  readonly type: string;
}

/** A column that the options declare. */
export interface DeclaredColumn extends LakeColumn {
  /** The attribute of the item. */
  readonly attribute: string;
}

/**
 * The column of an attribute: lower case, because Glue has no other (Athena user guide, "Name databases, tables, and
 * columns"), and `_` for each character that would need quoting. `tests/data/lake/column-names.json` holds the functions
 * to the same.
 */
export function columnName(attribute: string): string {
  return Array.from(attribute, (character) => {
    const lower = /^[A-Z]$/.test(character) ? character.toLowerCase() : character;
    return /^[a-z0-9_]$/.test(lower) ? lower : '_';
  }).join('');
}

/** Why an attribute cannot have a column; absent where it can. */
export function columnProblem(attribute: string): string | undefined {
  const name = columnName(attribute);
  if (name === '') return 'expected a name';
  if (name.startsWith('_')) return `expected an attribute whose column does not begin with _: ${name} is a row's own`;
  if ((fixedColumns as readonly string[]).includes(name)) {
    return `expected no declaration: every row has the column ${name}`;
  }
  if (name.length > longestName) return `expected at most ${longestName} characters, which is what Glue takes`;
  return undefined;
}

/** Why a text is no column type; absent where it is one. */
export function typeProblem(type: string): string | undefined {
  const plain = ['string', 'boolean', 'bigint', 'timestamp', 'timestamp_s', 'timestamp_ms', 'json'];
  if (plain.includes(type)) return undefined;
  const [, precision, scale] = /^decimal\(([0-9]{1,2}),([0-9]{1,2})\)$/.exec(type) ?? [];
  if (precision === undefined || scale === undefined) return `expected ${plain.join(', ')} or decimal(38,9)`;
  // Athena user guide, "Data types in Amazon Athena".
  if (Number(precision) < 1 || Number(precision) > 38) return 'expected from 1 to 38 digits, as in decimal(38,9)';
  if (Number(scale) > Number(precision)) return 'expected at most as many digits after the point as there are in all';
  return undefined;
}

/** All columns of a table, those of partitions aside, in their order. */
export function allColumns(declared: readonly DeclaredColumn[]): readonly LakeColumn[] {
  return [
    ...fixedColumns.map((name) => ({ name, type: fixedTypes[name] ?? 'string' })),
    ...declared,
    { name: extraColumn, type: 'string' },
  ];
}

/** As Glue names the type. JSON stays text: queries take it apart, and its members may be of any type. */
export function glueType(type: string): string {
  if (type.startsWith('timestamp')) return 'timestamp';
  return type === 'json' ? 'string' : type;
}

/**
 * As a CAST names the type, in Athena and DuckDB alike. A `timestamp` has milliseconds in Athena, there as in the Parquet
 * files of a Glue table (Athena user guide, "Data types in Amazon Athena"), and microseconds in DuckDB.
 */
export function sqlType(type: string): string {
  const named = glueType(type);
  return named === 'string' ? 'varchar' : named;
}
