package fhir

import (
	"fmt"
	"strings"
	"time"
)

// idLetters is the longest id, hl7.org/fhir/R4/datatypes.html#id.
const idLetters = 64

// IDOfKey is the id in a key of the form PATIENT#<id>. The errors of this package name the element and never the value:
// they are logged.
func IDOfKey(key, element string) (string, error) {
	if _, id, found := strings.Cut(key, "#"); found && IsID(id) {
		return id, nil
	}
	return "", fmt.Errorf("%s: no id of FHIR", element)
}

// IsID tells whether the text is 1 to 64 letters, digits, "-" and ".".
func IsID(text string) bool {
	for position := range len(text) {
		letter := text[position]
		if !isLetter(letter) && !isDigit(letter) && letter != '-' && letter != '.' {
			return false
		}
	}
	return text != "" && len(text) <= idLetters
}

// IsTypeName tells whether the text can be the name of a resource type.
func IsTypeName(text string) bool {
	for position := range len(text) {
		if !isLetter(text[position]) {
			return false
		}
	}
	return text != "" && len(text) <= idLetters && text[0] <= 'Z'
}

func isLetter(letter byte) bool {
	return 'a' <= letter|0x20 && letter|0x20 <= 'z'
}

func isDigit(letter byte) bool {
	return '0' <= letter && letter <= '9'
}

// Text is empty where the text is blank, which FHIR does not allow and which says nothing. A control character other than
// tab, line feed and carriage return is an error.
func Text(text, element string) (string, error) {
	for position := range len(text) {
		if letter := text[position]; letter < ' ' && letter != '\t' && letter != '\n' && letter != '\r' {
			return "", fmt.Errorf("%s: a control character", element)
		}
	}
	if strings.TrimSpace(text) == "" {
		return "", nil
	}
	return text, nil
}

// Texts leaves out those that are blank.
func Texts(texts []string, element string) ([]string, error) {
	kept := make([]string, 0, len(texts))
	for _, text := range texts {
		text, err := Text(text, element)
		if err != nil {
			return nil, err
		}
		if text != "" {
			kept = append(kept, text)
		}
	}
	return kept, nil
}

// Date is an error for a text that is no year, month or day. An empty one is none.
func Date(text, element string) error {
	if text == "" || isDate(text) {
		return nil
	}
	return fmt.Errorf("%s: no date", element)
}

// DateTime is an error for a text that is neither a date nor a day with a time and an offset. An empty one is none.
func DateTime(text, element string) error {
	if text == "" || isDate(text) || isInstant(text) {
		return nil
	}
	return fmt.Errorf("%s: no date or time", element)
}

func isDate(text string) bool {
	layout := ""
	switch len(text) {
	case len("2006"):
		layout = "2006"
	case len("2006-01"):
		layout = "2006-01"
	case len(time.DateOnly):
		layout = time.DateOnly
	default:
		return false
	}
	_, err := time.Parse(layout, text)
	// The year 0000 is well-formed for the calendar, not for FHIR.
	return err == nil && !strings.HasPrefix(text, "0000")
}

// isInstant checks the shape itself, because [time.Parse] reads forms that FHIR does not write: an hour of one digit, a
// comma before the fraction.
func isInstant(text string) bool {
	day, rest, found := strings.Cut(text, "T")
	offsetAt := strings.IndexAny(rest, "Z+-")
	if !found || offsetAt < 0 || len(day) != len(time.DateOnly) || !isDate(day) {
		return false
	}
	second, fraction, hasFraction := strings.Cut(rest[:offsetAt], ".")
	if len(second) != len(time.TimeOnly) || hasFraction && !isFraction(fraction) {
		return false
	}
	_, err := time.Parse(time.RFC3339, text)
	return err == nil
}

func isFraction(text string) bool {
	for position := range len(text) {
		if !isDigit(text[position]) {
			return false
		}
	}
	return text != "" && len(text) <= len("000000000")
}
