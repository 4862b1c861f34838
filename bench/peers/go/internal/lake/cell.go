package lake

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"tributary/bench/peers/go/internal/jsontext"
)

// The kinds of a cell, as a row's _types has them.
const (
	kindString    = 's'
	kindBoolean   = 'b'
	kindNumber    = 'n'
	kindTimestamp = 't'
	kindJSON      = 'j'
)

// cell is a value that fits its column.
type cell struct {
	kind byte
	text string
	// isExact tells whether the column gives back the value as it was. A time with an offset is the same instant in
	// another spelling.
	isExact bool
}

// cellOf is false where the value is of another type than the column.
func cellOf(columnType string, value any) (cell, bool) {
	switch columnType {
	case "string":
		text, fits := value.(string)
		return cell{kindString, text, true}, fits
	case "boolean":
		boolean, fits := value.(bool)
		return cell{kindBoolean, strconv.FormatBool(boolean), true}, fits
	case "json":
		text, err := jsontext.Of(value)
		return cell{kindJSON, text, true}, err == nil
	case "timestamp":
		text, isText := value.(string)
		instant, err := time.Parse(time.RFC3339, text)
		return cell{kindTimestamp, sqlTimestamp(instant), rfc3339(instant) == text}, isText && err == nil
	case "bigint":
		number, isNumber := value.(json.Number)
		_, err := number.Int64()
		return cell{kindNumber, number.String(), true}, isNumber && err == nil
	default:
		number, fits := value.(json.Number)
		return cell{kindNumber, shortest(number.String()), true}, fits
	}
}

// shortest is the number without the zeros at the end of its fraction.
func shortest(number string) string {
	if !strings.Contains(number, ".") || strings.ContainsAny(number, "eE") {
		return number
	}
	return strings.TrimSuffix(strings.TrimRight(number, "0"), ".")
}

// rfc3339 is the shortest spelling of an instant: 2026-11-22T07:14:00.5Z.
func rfc3339(instant time.Time) string {
	return instant.UTC().Format(time.RFC3339Nano)
}

// sqlTimestamp is an instant as SQL casts it: 2026-11-22 07:14:00.5, in UTC.
func sqlTimestamp(instant time.Time) string {
	return strings.TrimRight(strings.Replace(rfc3339(instant), "T", " ", 1), "Z")
}
