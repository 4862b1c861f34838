package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"tributary/bench/peers/go/internal/export"
)

// publisher makes the entries of PutEvents from the lines of an exported file, and holds those of one request at a time.
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
	entries := 0
	for request, err := range publisher.of.Requests(publisher.lines) {
		if err != nil {
			return 0, err
		}
		entries += len(request)
	}
	return entries, nil
}

func (publisher *publisher) records() ([]any, error) {
	var records []any
	for request, err := range publisher.of.Requests(publisher.lines) {
		if err != nil {
			return nil, err
		}
		for _, entry := range request {
			records = append(records, map[string]*string{
				"Source":       entry.Source,
				"DetailType":   entry.DetailType,
				"EventBusName": entry.EventBusName,
				"Detail":       entry.Detail,
			})
		}
	}
	return records, nil
}
