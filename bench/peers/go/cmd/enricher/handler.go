package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"

	"tributary/bench/peers/go/internal/enrichment"
	"tributary/bench/peers/go/internal/metrics"
)

type handler struct {
	collections collections
	logger      *slog.Logger
	metrics     *metrics.Writer
}

// Invoke takes the batch's bytes, because a record that cannot be read must not fail the others: decoded by the runtime
// it would. A table that does not answer fails the batch, which the pipe then tries again.
func (handler *handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	records, err := enrichment.Decode(payload)
	if err != nil {
		return nil, err
	}
	addresses, err := handler.collections.addresses(ctx, enrichment.Patients(records))
	if err != nil {
		return nil, err
	}
	outcomes := enrichment.Outcomes(records, addresses)
	rejected := 0
	for _, outcome := range outcomes {
		if outcome.Rejected != nil {
			rejected++
		}
	}
	enriched := len(outcomes) - rejected
	handler.logger.InfoContext(ctx, "batch enriched", "records", len(outcomes), "enriched", enriched, "rejected", rejected)
	counts := map[string]int{"Records": len(outcomes), "Enriched": enriched, "Rejected": rejected}
	if err := handler.metrics.Write(counts); err != nil {
		return nil, err
	}
	var answer bytes.Buffer
	encoder := json.NewEncoder(&answer)
	encoder.SetEscapeHTML(false)
	err = encoder.Encode(outcomes)
	return answer.Bytes(), err
}
