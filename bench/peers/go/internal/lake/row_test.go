package lake

import (
	"encoding/json"
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
