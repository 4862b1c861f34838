package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"

	"tributary/bench/peers/go/internal/enrichment"
)

// enricher answers the batch of a pipe; the patients have no addresses.
type enricher struct {
	payload []byte
	answer  bytes.Buffer
}

func newEnricher(folder string) (*enricher, error) {
	payload, err := os.ReadFile(filepath.Join(folder, "event.json"))
	return &enricher{payload: payload}, err
}

func (enricher *enricher) run() (int, error) {
	records, err := enrichment.Decode(enricher.payload)
	if err != nil {
		return 0, err
	}
	// As the runtime of aws-lambda-go writes an answer: into a buffer that is kept.
	enricher.answer.Reset()
	encoder := json.NewEncoder(&enricher.answer)
	encoder.SetEscapeHTML(false)
	err = encoder.Encode(enrichment.Outcomes(records, nil))
	return enricher.answer.Len(), err
}

func (enricher *enricher) records() ([]any, error) {
	if _, err := enricher.run(); err != nil {
		return nil, err
	}
	var outcomes []json.RawMessage
	if err := json.Unmarshal(enricher.answer.Bytes(), &outcomes); err != nil {
		return nil, err
	}
	records := make([]any, len(outcomes))
	for position, outcome := range outcomes {
		records[position] = outcome
	}
	return records, nil
}
