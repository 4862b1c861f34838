// Package export turns the lines of HealthLake's export into events.
package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"tributary/bench/peers/go/internal/digest"
	"tributary/bench/peers/go/internal/fhir"
	"tributary/bench/peers/go/internal/jsontext"
)

const (
	eventSource   = "tributary.fhir"
	detailType    = "FhirResourceChanged"
	eventBusName  = "events"
	schemaVersion = "1.0"
)

// requestEntries is how many entries a request may hold (Amazon EventBridge API reference, "PutEvents").
const requestEntries = 10

// lastUpdatedLayout has nine digits after the point, so that the order of the texts is that of the times.
const lastUpdatedLayout = "2006-01-02T15:04:05.000000000Z"

// Run is what the events of one export share.
type Run struct {
	ID        string `json:"id"`
	Datastore struct {
		ID string `json:"id"`
	} `json:"datastore"`
	Window json.RawMessage `json:"window"`
}

// resource is what is read of a line; the rest is carried.
type resource struct {
	ResourceType string `json:"resourceType"`
	ID           string `json:"id"`
	Meta         struct {
		VersionID   string `json:"versionId"`
		LastUpdated string `json:"lastUpdated"`
	} `json:"meta"`
}

type detail struct {
	Meta meta            `json:"meta"`
	FHIR json.RawMessage `json:"fhir"`
}

type meta struct {
	ID            string          `json:"id"`
	ResourceType  string          `json:"resourceType"`
	ResourceID    string          `json:"resourceId"`
	VersionID     string          `json:"versionId,omitempty"`
	LastUpdated   string          `json:"lastUpdated,omitempty"`
	CorrelationID string          `json:"correlationId"`
	DatastoreID   string          `json:"datastoreId"`
	Window        json.RawMessage `json:"window"`
	SchemaVersion string          `json:"schemaVersion"`
}

// Requests are the events of the lines, as many at a time as PutEvents takes. The entries of a request are valid until the
// next one is asked for. The first error ends them.
func (run *Run) Requests(lines []byte) iter.Seq2[[]types.PutEventsRequestEntry, error] {
	return func(yield func([]types.PutEventsRequestEntry, error) bool) {
		request := make([]types.PutEventsRequestEntry, 0, requestEntries)
		number := 0
		for line := range bytes.Lines(lines) {
			number++
			detail, err := run.detail(bytes.TrimSpace(line))
			if err != nil {
				yield(nil, fmt.Errorf("line %d: %w", number, err))
				return
			}
			request = append(request, types.PutEventsRequestEntry{
				Source:       aws.String(eventSource),
				DetailType:   aws.String(detailType),
				EventBusName: aws.String(eventBusName),
				Detail:       aws.String(detail),
			})
			if len(request) == requestEntries {
				if !yield(request, nil) {
					return
				}
				request = request[:0]
			}
		}
		if len(request) > 0 {
			yield(request, nil)
		}
	}
}

func (run *Run) detail(line []byte) (string, error) {
	var read resource
	if err := json.Unmarshal(line, &read); err != nil {
		return "", err
	}
	if !fhir.IsTypeName(read.ResourceType) || !fhir.IsID(read.ID) {
		return "", errors.New("no FHIR resource")
	}
	if !fhir.IsID(read.Meta.VersionID) {
		read.Meta.VersionID = ""
	}
	return jsontext.Of(detail{
		Meta: meta{
			ID:            run.changeID(&read, line),
			ResourceType:  read.ResourceType,
			ResourceID:    read.ID,
			VersionID:     read.Meta.VersionID,
			LastUpdated:   lastUpdated(read.Meta.LastUpdated),
			CorrelationID: run.ID,
			DatastoreID:   run.Datastore.ID,
			Window:        run.Window,
			SchemaVersion: schemaVersion,
		},
		FHIR: line,
	})
}

// changeID is that of the resource's version, or, where the resource does not say which version it is, of the line.
func (run *Run) changeID(read *resource, line []byte) string {
	if read.Meta.VersionID == "" || read.Meta.LastUpdated == "" {
		return digest.Of("line", run.Datastore.ID, string(line))
	}
	return digest.Of("resource", run.Datastore.ID, read.ResourceType, read.ID, read.Meta.VersionID, read.Meta.LastUpdated)
}

// lastUpdated is empty where the text is no time.
func lastUpdated(text string) string {
	instant, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return ""
	}
	return instant.UTC().Format(lastUpdatedLayout)
}
