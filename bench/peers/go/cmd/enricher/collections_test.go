package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func TestAddressesAloneAreAskedForAndConsistently(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		var query struct {
			TableName, KeyConditionExpression string
			ExpressionAttributeValues         map[string]struct{ S string }
			ConsistentRead                    bool
		}
		if err := json.NewDecoder(request.Body).Decode(&query); err != nil {
			t.Error(err)
		}
		id, prefix := query.ExpressionAttributeValues[":id"].S, query.ExpressionAttributeValues[":prefix"].S
		if query.TableName != "items" || query.KeyConditionExpression != "id = :id AND begins_with(sk, :prefix)" ||
			id != "PATIENT#1" || prefix != "ADDRESS#" || !query.ConsistentRead {
			t.Error(query)
		}
		answer.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = answer.Write([]byte(`{"Items": [{"city": {"S": "Sampleton"}}, {"city": {"NULL": true}}]}`))
	}))
	t.Cleanup(server.Close)
	client := dynamodb.NewFromConfig(aws.Config{
		Region:       "eu-west-1",
		BaseEndpoint: &server.URL,
		Credentials:  credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	addresses, err := collections{client, "items"}.addresses(context.Background(), []string{"PATIENT#1"})
	if err != nil {
		t.Fatal(err)
	}
	found := addresses["PATIENT#1"]
	if len(found) != 2 || found[0].City != "Sampleton" || found[1].City != "" {
		t.Error(found)
	}
}
