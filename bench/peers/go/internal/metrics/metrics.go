// Package metrics writes the metrics of a batch as one line of CloudWatch's embedded metric format, which Powertools does
// where it exists (Amazon CloudWatch user guide, "Specification: Embedded metric format").
package metrics

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"time"
)

const serviceDimension = "service"

// Writer writes the metrics of one service.
type Writer struct {
	encoder            *json.Encoder
	namespace, service string
}

type definition struct {
	Name, Unit string
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []definition
}

type metadata struct {
	// Timestamp is in milliseconds since 1970.
	Timestamp         int64
	CloudWatchMetrics []directive
}

// NewWriter makes a writer of lines to out.
func NewWriter(out io.Writer, namespace, service string) *Writer {
	return &Writer{json.NewEncoder(out), namespace, service}
}

// Write writes counts under their names.
func (writer *Writer) Write(counts map[string]int) error {
	line := make(map[string]any, len(counts)+2)
	definitions := make([]definition, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		line[name] = counts[name]
		definitions = append(definitions, definition{name, "Count"})
	}
	line[serviceDimension] = writer.service
	line["_aws"] = metadata{
		Timestamp:         time.Now().UnixMilli(),
		CloudWatchMetrics: []directive{{writer.namespace, [][]string{{serviceDimension}}, definitions}},
	}
	return writer.encoder.Encode(line)
}
