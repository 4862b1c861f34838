package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"tributary/bench/peers/go/internal/export"
)

// publisher makes the entries of PutEvents from the lines of an exported file.
type publisher struct {
	lines []byte
	of    export.Run
}

func newPublisher(folder string) (*publisher, error) {
	lines, err := os.ReadFile(filepath.Join(folder, "lines.ndjson"))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(folder, "run.json"))
	if err != nil {
		return nil, err
	}
	publisher := &publisher{lines: lines}
	err = json.Unmarshal(text, &publisher.of)
	return publisher, err
}

func (publisher *publisher) run() (int, error) {
	entries, err := publisher.of.Entries(publisher.lines)
	return len(entries), err
}

func (publisher *publisher) records() ([]any, error) {
	entries, err := publisher.of.Entries(publisher.lines)
	if err != nil {
		return nil, err
	}
	records := make([]any, len(entries))
	for position, entry := range entries {
		records[position] = map[string]*string{
			"Source":       entry.Source,
			"DetailType":   entry.DetailType,
			"EventBusName": entry.EventBusName,
			"Detail":       entry.Detail,
		}
	}
	return records, nil
}
