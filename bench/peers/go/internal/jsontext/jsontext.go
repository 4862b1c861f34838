// Package jsontext writes JSON as texts. Unlike [json.Marshal] it leaves <, > and & as they are: nothing of it goes into
// a page of HTML, and escapes only make an event longer.
package jsontext

import (
	"encoding/json"
	"strings"
)

// Of is the JSON of a value.
func Of(value any) (string, error) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return strings.TrimSuffix(text.String(), "\n"), nil
}
