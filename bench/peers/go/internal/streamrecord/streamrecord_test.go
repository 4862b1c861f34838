package streamrecord

import (
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

func TestTheOrderOfSequencesIsThatOfTheirNumbers(t *testing.T) {
	sequence := func(number string) string {
		text, err := Sequence(&events.DynamoDBEventRecord{Change: events.DynamoDBStreamRecord{SequenceNumber: number}})
		if err != nil {
			t.Error(number, err)
		}
		return text
	}
	if sequence("9") >= sequence("10") {
		t.Error(sequence("9"))
	}
}

func TestOnlyTheServiceItselfRemovesWhatHasExpired(t *testing.T) {
	for identity, removedBy := range map[events.DynamoDBUserIdentity]string{
		{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}: "ttl",
		{Type: "Service", PrincipalID: "lambda.amazonaws.com"}:   "",
		{Type: "User", PrincipalID: "dynamodb.amazonaws.com"}:    "",
	} {
		if found := RemovedBy(&events.DynamoDBEventRecord{UserIdentity: &identity}); found != removedBy {
			t.Error(identity, found)
		}
	}
	if found := RemovedBy(&events.DynamoDBEventRecord{}); found != "" {
		t.Error(found)
	}
}
