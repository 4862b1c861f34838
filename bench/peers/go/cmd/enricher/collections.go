package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"tributary/bench/peers/go/internal/items"
)

// concurrentPatients are read at once.
const concurrentPatients = 16

// collections are what the table holds of the patients beside the patients themselves, whom the changes bring.
type collections struct {
	client    *dynamodb.Client
	tableName string
}

// addresses are those of each patient, under the collection's partition key.
func (collections collections) addresses(ctx context.Context, patients []string) (map[string][]items.Address, error) {
	read := make([][]items.Address, len(patients))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrentPatients)
	for position, patient := range patients {
		group.Go(func() (err error) {
			read[position], err = collections.addressesOf(ctx, patient)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	addresses := make(map[string][]items.Address, len(patients))
	for position, patient := range patients {
		addresses[patient] = read[position]
	}
	return addresses, nil
}

// addressesOf reads the addresses alone, in the order of their sort keys. Consistently, so that a change is never enriched
// with a table older than the change itself.
func (collections collections) addressesOf(ctx context.Context, patient string) ([]items.Address, error) {
	pages := dynamodb.NewQueryPaginator(collections.client, &dynamodb.QueryInput{
		TableName:              &collections.tableName,
		KeyConditionExpression: aws.String("id = :id AND begins_with(sk, :prefix)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":id":     &types.AttributeValueMemberS{Value: patient},
			":prefix": &types.AttributeValueMemberS{Value: items.AddressSortKeyPrefix},
		},
		ConsistentRead: aws.Bool(true),
	})
	var addresses []map[string]types.AttributeValue
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, page.Items...)
	}
	return items.Addresses(addresses)
}
