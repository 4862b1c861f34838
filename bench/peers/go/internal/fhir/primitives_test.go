package fhir

import "testing"

func TestDatesAreFHIRs(t *testing.T) {
	for text, isWellFormed := range map[string]bool{
		"1980": true, "1980-03": true, "1980-03-17": true, "2024-02-29": true,
		"0000": false, "80": false, "1980-13": false, "1980-02-30": false, "17.03.1980": false, "1980-03-17T00:00:00Z": false,
	} {
		if (Date(text, "date") == nil) != isWellFormed {
			t.Error(text)
		}
	}
}

func TestTimesAreFHIRs(t *testing.T) {
	for text, isWellFormed := range map[string]bool{
		"1980-03": true, "2026-11-22T07:14:00Z": true, "2026-11-22T07:14:00.123+01:00": true,
		"2026-11-22T7:14:00Z": false, "2026-11-22T07:14:00,5Z": false, "2026-11-22T07:14:00": false,
		"2026-11-22T07:14:00.Z": false, "2026-11-22T07:14:00.1234567890Z": false, "2026-11-31T07:14:00Z": false,
	} {
		if (DateTime(text, "time") == nil) != isWellFormed {
			t.Error(text)
		}
	}
}

func TestIDsAreWhatFollowsTheHashSign(t *testing.T) {
	if id, err := IDOfKey("PATIENT#a-b.C9", "id"); id != "a-b.C9" || err != nil {
		t.Error(id, err)
	}
	for _, key := range []string{"PATIENT", "PATIENT#", "PATIENT#a_b", "PATIENT#é", "PATIENT#a#b"} {
		if _, err := IDOfKey(key, "id"); err == nil {
			t.Error(key)
		}
	}
}
