// Enricher is the enrichment of a pipe: the change events of a batch of stream records, one outcome each.
package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"tributary/bench/peers/go/internal/metrics"
)

func main() {
	logger := slog.New(slog.NewJSONHandler(os.Stdout, nil)).With("service", os.Getenv("POWERTOOLS_SERVICE_NAME"))
	configuration, err := config.LoadDefaultConfig(context.Background(), config.WithHTTPClient(httpClient()))
	if err != nil {
		logger.Error("no configuration", "error", err)
		os.Exit(1)
	}
	lambda.Start(&handler{
		collections: collections{dynamodb.NewFromConfig(configuration), os.Getenv("ITEMS_TABLE_NAME")},
		logger:      logger,
		metrics:     metrics.NewWriter(os.Stdout, os.Getenv("METRICS_NAMESPACE"), os.Getenv("POWERTOOLS_SERVICE_NAME")),
	})
}

// httpClient keeps a connection for each query that is under way at once. The SDK keeps 10, and would connect anew for the
// others in every batch.
func httpClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
		transport.MaxIdleConnsPerHost = concurrentPatients
	})
}
