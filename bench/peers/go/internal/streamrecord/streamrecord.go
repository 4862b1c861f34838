// Package streamrecord reads of a DynamoDB stream record what the enricher and the lake writer both tell of it.
package streamrecord

import (
	"errors"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"tributary/bench/peers/go/internal/digest"
)

// sequenceDigits is the longest sequence number (Amazon DynamoDB API reference, "StreamRecord").
const sequenceDigits = 40

// ChangeID is the same for every delivery of the same change. The ARN names the table and its stream: two tables may
// number their records alike.
func ChangeID(record *events.DynamoDBEventRecord) string {
	return digest.Of("change", record.EventSourceArn, record.EventID, record.Change.SequenceNumber)
}

// Sequence is the record's sequence number with zeros before it, so that the order of the texts is that of the changes.
func Sequence(record *events.DynamoDBEventRecord) (string, error) {
	number := record.Change.SequenceNumber
	if number == "" || len(number) > sequenceDigits {
		return "", errors.New("dynamodb.SequenceNumber: unreadable")
	}
	return strings.Repeat("0", sequenceDigits-len(number)) + number, nil
}

// RemovedBy is "ttl" where the service itself removed the item, because it had expired (Amazon DynamoDB developer guide,
// "DynamoDB Streams and Time to Live").
func RemovedBy(record *events.DynamoDBEventRecord) string {
	identity := record.UserIdentity
	if identity != nil && identity.Type == "Service" && identity.PrincipalID == "dynamodb.amazonaws.com" {
		return "ttl"
	}
	return ""
}
