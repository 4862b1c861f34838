// FHIR R4's primitive types and required codes, as far as a patient needs them: hl7.org/fhir/R4/datatypes.html#primitive.

/** Why a record cannot become an event. It names an element and holds no value: the text goes to logs. */
export class Reject extends Error {
  constructor(reason, element) {
    super(`${reason} at ${element}`);
    this.name = 'Reject';
  }
}

const CODES = {
  gender: new Set(['male', 'female', 'other', 'unknown']),
  'name.use': new Set(['usual', 'official', 'temp', 'nickname', 'anonymous', 'old', 'maiden']),
  'address.use': new Set(['home', 'work', 'temp', 'old', 'billing']),
  'address.type': new Set(['postal', 'physical', 'both']),
  'telecom.system': new Set(['phone', 'fax', 'email', 'pager', 'url', 'sms', 'other']),
  'telecom.use': new Set(['home', 'work', 'temp', 'old', 'mobile']),
};

const ID = /^[A-Za-z0-9\-.]{1,64}$/;
const CONTROL_CHARACTER = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;
const NOT_BLANK = /\S/;
const DATE = /^(?!0000)(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?$/;
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/;
const DAY_LETTERS = 10;

/** Every month has as many days. */
const CERTAIN_DAYS = 28;

/** The id in a key of the form `PATIENT#<id>`. */
export function idOfKey(key, element) {
  const id = key.slice(key.indexOf('#') + 1);
  if (id.length === key.length || !ID.test(id)) throw new Reject('id-invalid', element);
  return id;
}

/** A code of which FHIR allows no other; undefined where there is none. */
export function code(value, element) {
  if (value === undefined || value === null) return undefined;
  if (!CODES[element].has(value)) throw new Reject('code-unknown', element);
  return value;
}

/** Undefined for a text that is missing or blank: FHIR has no empty element. */
export function text(value, element) {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new Reject('item-unreadable', element);
  if (CONTROL_CHARACTER.test(value)) throw new Reject('text-invalid', element);
  return NOT_BLANK.test(value) ? value : undefined;
}

/** A year, a month or a day that exists; undefined where there is none. */
export function date(value, element) {
  if (value === undefined || value === null) return undefined;
  if (!isDate(value)) throw new Reject('date-invalid', element);
  return value;
}

/** A date, or a day with a time and an offset; undefined where there is none. */
export function dateTime(value, element) {
  if (value === undefined || value === null || isDate(value)) return value ?? undefined;
  const isInstant =
    typeof value === 'string' &&
    value[DAY_LETTERS] === 'T' &&
    isDate(value.slice(0, DAY_LETTERS)) &&
    TIME.test(value.slice(DAY_LETTERS + 1));
  if (!isInstant) throw new Reject('date-invalid', element);
  return value;
}

function isDate(value) {
  const parts = typeof value === 'string' ? DATE.exec(value) : null;
  if (parts === null) return false;
  const [, year, month, day] = parts;
  return day === undefined || day <= CERTAIN_DAYS || day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
