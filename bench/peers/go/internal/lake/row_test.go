package lake

import (
	"encoding/json"
	"maps"
	"testing"
	"time"
)

func TestAValueIsInItsColumnOnlyWhereItFits(t *testing.T) {
	for _, given := range []struct {
		columnType string
		value      any
		text       string
		fits       bool
	}{
		{"decimal(38,9)", json.Number("1051.80"), "1051.8", true},
		{"decimal(38,9)", json.Number("5.0"), "5", true},
		{"decimal(38,9)", json.Number("100"), "100", true},
		{"bigint", json.Number("2"), "2", true},
		{"bigint", json.Number("2.5"), "", false},
		{"bigint", "2", "", false},
		{"string", json.Number("2"), "", false},
		{"timestamp", "2026-11-22T08:14:00.50+01:00", "2026-11-22 07:14:00.5", true},
		{"timestamp", "tomorrow", "", false},
		{"json", map[string]any{"a": "<"}, `{"a":"<"}`, true},
	} {
		found, fits := cellOf(given.columnType, given.value)
		if fits != given.fits || fits && found.text != given.text {
			t.Error(given, found, fits)
		}
	}
}

func TestWhatHasNoValueOrNoColumnIsKeptBesideThem(t *testing.T) {
	var configuration Configuration
	columns := `{"columns": {"Born On": "string", "none": "string", "any": "json"}}`
	if err := json.Unmarshal([]byte(columns), &configuration); err != nil {
		t.Fatal(err)
	}
	line := row{}
	item := map[string]any{"id": "1", "Born On": `a "b"`, "none": nil, "any": nil, `other "one"`: nil}
	if err := configuration.fill(line, item); err != nil {
		t.Fatal(err)
	}
	expected := row{
		"_types": "js", "_attributes": `{"born_on":"Born On"}`, "born_on": `a "b"`, "any": "null",
		"_extra": `{"none":null,"other \"one\"":null}`,
	}
	if !maps.Equal(line, expected) {
		t.Error(line)
	}
}

func TestAFolderIsNamedAsHiveNamesIt(t *testing.T) {
	var partition Partition
	if err := json.Unmarshal([]byte(`{"attributes": ["site", "gone"], "time": {"unit": "day"}}`), &partition); err != nil {
		t.Fatal(err)
	}
	folder := partition.folder(map[string]any{"site": "a/b=c"}, time.Unix(1795331640, 0))
	if folder != "site=a%2Fb%3Dc/gone=__HIVE_DEFAULT_PARTITION__/year=2026/month=11/day=22" {
		t.Error(folder)
	}
}
