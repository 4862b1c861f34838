// Router is the target of a pipe: it puts the change events of the enrichment's answer on the bus.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"tributary/bench/peers/go/internal/metrics"
)

func main() {
	logger := slog.New(slog.NewJSONHandler(os.Stdout, nil)).With("service", os.Getenv("POWERTOOLS_SERVICE_NAME"))
	configuration, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		logger.Error("no configuration", "error", err)
		os.Exit(1)
	}
	handler := &handler{
		bus:     bus{eventbridge.NewFromConfig(configuration), os.Getenv("EVENT_BUS_NAME")},
		logger:  logger,
		metrics: metrics.NewWriter(os.Stdout, os.Getenv("METRICS_NAMESPACE"), os.Getenv("POWERTOOLS_SERVICE_NAME")),
	}
	lambda.Start(handler.handle)
}
