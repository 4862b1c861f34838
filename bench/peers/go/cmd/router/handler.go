package main

import (
	"context"
	"encoding/json"
	"log/slog"

	"tributary/bench/peers/go/internal/metrics"
)

// outcome of the enrichment, of one record.
type outcome struct {
	EventID string `json:"eventID"`
	// Key is a digest of the item's key.
	Key   string          `json:"key"`
	Event json.RawMessage `json:"event"`
}

// itemType is under what an event's detail type is known.
type itemType struct {
	Meta struct {
		ItemType string `json:"itemType"`
	} `json:"meta"`
}

// response names the records that the pipe has to bring again (EventBridge user guide, "Amazon EventBridge Pipes batching
// and concurrency").
type response struct {
	BatchItemFailures []failure `json:"batchItemFailures"`
}

type failure struct {
	ItemIdentifier string `json:"itemIdentifier"`
}

type handler struct {
	bus     bus
	logger  *slog.Logger
	metrics *metrics.Writer
}

// handle puts the events on the bus. An outcome without an event has failed: after its attempts the pipe gives the record
// to its dead-letter queue.
func (handler *handler) handle(ctx context.Context, outcomes []outcome) (response, error) {
	failures := []failure{}
	entries := make([]entry, 0, len(outcomes))
	for _, outcome := range outcomes {
		var event itemType
		if err := json.Unmarshal(outcome.Event, &event); err != nil || event.Meta.ItemType == "" {
			failures = append(failures, failure{outcome.EventID})
			continue
		}
		entries = append(entries, entry{
			eventID:    outcome.EventID,
			key:        outcome.Key,
			detailType: event.Meta.ItemType + "Change",
			detail:     string(outcome.Event),
		})
	}
	for _, eventID := range handler.bus.put(ctx, entries) {
		failures = append(failures, failure{eventID})
	}
	routed := len(outcomes) - len(failures)
	handler.logger.InfoContext(ctx, "batch routed", "events", len(outcomes), "routed", routed, "failed", len(failures))
	counts := map[string]int{"Events": len(outcomes), "Routed": routed, "Failed": len(failures)}
	return response{failures}, handler.metrics.Write(counts)
}
