package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
)

// fakeBus answers PutEvents, and fails the entries that its rule names.
type fakeBus struct {
	lock     sync.Mutex
	received []string
	fails    func(detail string, received int) bool
}

func (fake *fakeBus) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	var read struct {
		Entries []struct{ Detail string }
	}
	if err := json.NewDecoder(request.Body).Decode(&read); err != nil || len(read.Entries) > requestEntries {
		http.Error(answer, "no request of PutEvents", http.StatusBadRequest)
		return
	}
	fake.lock.Lock()
	defer fake.lock.Unlock()
	results := make([]map[string]string, len(read.Entries))
	for position, entry := range read.Entries {
		if fake.fails(entry.Detail, len(fake.received)) {
			results[position] = map[string]string{"ErrorCode": "ThrottlingException"}
		} else {
			results[position] = map[string]string{"EventId": "1"}
		}
		fake.received = append(fake.received, entry.Detail)
	}
	answer.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(answer).Encode(map[string]any{"Entries": results})
}

func (fake *fakeBus) put(t *testing.T, keys ...string) []string {
	t.Helper()
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	client := eventbridge.NewFromConfig(aws.Config{
		Region:       "eu-west-1",
		BaseEndpoint: &server.URL,
		Credentials:  credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	entries := make([]entry, len(keys))
	for position, key := range keys {
		name := key + strings.Repeat("'", position)
		entries[position] = entry{eventID: name, key: key, detailType: "PatientChange", detail: name}
	}
	return bus{client, "events"}.put(context.Background(), entries)
}

func TestOnlyWhatFailedIsTriedAgain(t *testing.T) {
	fake := &fakeBus{fails: func(detail string, received int) bool { return detail == "b'" && received < 4 }}
	if failed := fake.put(t, "a", "b", "c"); len(failed) > 0 {
		t.Error("failed:", failed)
	}
	if !slices.Equal(fake.received, []string{"a", "b'", "c''", "b'", "b'"}) {
		t.Error(fake.received)
	}
}

func TestAKeyKeepsItsOrder(t *testing.T) {
	fake := &fakeBus{fails: func(string, int) bool { return false }}
	if failed := fake.put(t, "a", "a", "b", "a"); len(failed) > 0 {
		t.Error("failed:", failed)
	}
	if !slices.Equal(fake.received, []string{"a", "b''", "a'", "a'''"}) {
		t.Error(fake.received)
	}
}

func TestBehindAnEntryThatTheBusDoesNotTakeItsKeyWaits(t *testing.T) {
	fake := &fakeBus{fails: func(detail string, _ int) bool { return detail == "a" }}
	if failed := fake.put(t, "a", "a", "b"); !slices.Equal(failed, []string{"a", "a'"}) {
		t.Error("failed:", failed)
	}
	if slices.Contains(fake.received, "a'") || !slices.Contains(fake.received, "b''") {
		t.Error(fake.received)
	}
}
