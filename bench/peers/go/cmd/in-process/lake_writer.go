package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"tributary/bench/peers/go/internal/lake"
)

// lakeWriter makes the compressed files of a batch of stream records.
type lakeWriter struct {
	payload []byte
	writer  *lake.Writer
}

func newLakeWriter(folder string) (*lakeWriter, error) {
	payload, err := os.ReadFile(filepath.Join(folder, "event.json"))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(folder, "lake.json"))
	if err != nil {
		return nil, err
	}
	var configuration lake.Configuration
	if err := json.Unmarshal(text, &configuration); err != nil {
		return nil, err
	}
	writer, err := lake.NewWriter(configuration)
	return &lakeWriter{payload, writer}, err
}

func (lakeWriter *lakeWriter) run() (int, error) {
	files, err := lakeWriter.writer.Files(lakeWriter.payload)
	return len(files), err
}

func (lakeWriter *lakeWriter) records() ([]any, error) {
	files, err := lakeWriter.writer.Files(lakeWriter.payload)
	if err != nil {
		return nil, err
	}
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		return nil, err
	}
	defer decoder.Close()
	var records []any
	for _, file := range files {
		lines, err := decoder.DecodeAll(file.Body, nil)
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(lines) {
			records = append(records, map[string]any{"partition": file.Partition, "row": json.RawMessage(line)})
		}
	}
	return records, nil
}
