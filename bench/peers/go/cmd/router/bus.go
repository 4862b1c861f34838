package main

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"golang.org/x/sync/errgroup"
)

const eventSource = "tributary.items"

const (
	// requestEntries is how many entries a request may hold (Amazon EventBridge API reference, "PutEvents").
	requestEntries     = 10
	concurrentRequests = 8
	// attempts are those of an entry that the answer reports as failed. A request that failed as a whole was tried again
	// by the SDK.
	attempts   = 4
	firstDelay = 50 * time.Millisecond
)

type entry struct {
	eventID, key       string
	detailType, detail string
}

type bus struct {
	client *eventbridge.Client
	name   string
}

// put sends the entries, those of the same key in their order, and answers the event ids of those that the bus did not
// take. Behind one of these, the later ones of its key are held back.
func (bus bus) put(ctx context.Context, entries []entry) []string {
	var failed []string
	for waiting := entries; len(waiting) > 0; {
		// The first of each key can go at once.
		var heads, behind []entry
		taken := make(map[string]bool, len(waiting))
		for _, entry := range waiting {
			if entry.key == "" || !taken[entry.key] {
				taken[entry.key] = true
				heads = append(heads, entry)
			} else {
				behind = append(behind, entry)
			}
		}
		refused := make(map[string]bool)
		for _, entry := range bus.putRetrying(ctx, heads) {
			failed = append(failed, entry.eventID)
			refused[entry.key] = true
		}
		waiting = behind[:0]
		for _, entry := range behind {
			if refused[entry.key] {
				failed = append(failed, entry.eventID)
			} else {
				waiting = append(waiting, entry)
			}
		}
	}
	return failed
}

// putRetrying answers the entries that the bus did not take after all attempts.
func (bus bus) putRetrying(ctx context.Context, entries []entry) []entry {
	failed := bus.putOnce(ctx, entries)
	delay := firstDelay
	for attempt := 1; attempt < attempts && len(failed) > 0; attempt++ {
		select {
		case <-ctx.Done():
			return failed
		case <-time.After(delay):
		}
		failed = bus.putOnce(ctx, failed)
		delay *= 2
	}
	return failed
}

// putOnce sends full requests, several at once, and answers the entries that failed.
func (bus bus) putOnce(ctx context.Context, entries []entry) []entry {
	chunks := slices.Collect(slices.Chunk(entries, requestEntries))
	failed := make([][]entry, len(chunks))
	var group errgroup.Group
	group.SetLimit(concurrentRequests)
	for position, chunk := range chunks {
		group.Go(func() error {
			failed[position] = bus.request(ctx, chunk)
			return nil
		})
	}
	_ = group.Wait() // No request answers an error: its entries have failed.
	return slices.Concat(failed...)
}

// request answers the entries that failed: an answer of 200 may report some.
func (bus bus) request(ctx context.Context, entries []entry) []entry {
	requested := make([]types.PutEventsRequestEntry, len(entries))
	for position, entry := range entries {
		requested[position] = types.PutEventsRequestEntry{
			Source:       aws.String(eventSource),
			DetailType:   aws.String(entry.detailType),
			EventBusName: aws.String(bus.name),
			Detail:       aws.String(entry.detail),
		}
	}
	answer, err := bus.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: requested})
	if err != nil || len(answer.Entries) != len(entries) {
		return entries
	}
	var failed []entry
	for position, result := range answer.Entries {
		if result.ErrorCode != nil {
			failed = append(failed, entries[position])
		}
	}
	return failed
}
