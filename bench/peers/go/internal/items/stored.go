// Package items has the items of the table as they are stored, and the FHIR R4 resources that they yield.
package items

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"tributary/bench/peers/go/internal/fhir"
)

// storedIdentifier is a number and the authority that gave it.
type storedIdentifier struct {
	System string `dynamodbav:"system"`
	Value  string `dynamodbav:"value"`
}

type storedName struct {
	Use    string   `dynamodbav:"use"`
	Text   string   `dynamodbav:"text"`
	Family string   `dynamodbav:"family"`
	Given  []string `dynamodbav:"given"`
	Prefix []string `dynamodbav:"prefix"`
	Suffix []string `dynamodbav:"suffix"`
}

// storedContactPoint is a way to reach somebody.
type storedContactPoint struct {
	System string `dynamodbav:"system"`
	Value  string `dynamodbav:"value"`
	Use    string `dynamodbav:"use"`
}

// storedPeriod is a time from–to, either end open.
type storedPeriod struct {
	Start string `dynamodbav:"start"`
	End   string `dynamodbav:"end"`
}

func decode(item map[string]types.AttributeValue, into any, element string) error {
	if err := attributevalue.UnmarshalMap(item, into); err != nil {
		return fmt.Errorf("%s: unreadable", element)
	}
	return nil
}

// resource is nil for a number that is blank.
func (stored storedIdentifier) resource(kind *fhir.CodeableConcept) (*fhir.Identifier, error) {
	system, err := fhir.Text(stored.System, "Patient.identifier.system")
	if err != nil {
		return nil, err
	}
	value, err := fhir.Text(stored.Value, "Patient.identifier.value")
	if err != nil || value == "" {
		return nil, err
	}
	return &fhir.Identifier{Type: kind, System: system, Value: value}, nil
}

// resource is nil for a name that says nothing.
func (stored storedName) resource() (*fhir.HumanName, error) {
	if err := fhir.NameUses.Optional(stored.Use, "name.use"); err != nil {
		return nil, err
	}
	name := fhir.HumanName{Use: stored.Use}
	var err error
	if name.Text, err = fhir.Text(stored.Text, "name.text"); err != nil {
		return nil, err
	}
	if name.Family, err = fhir.Text(stored.Family, "name.family"); err != nil {
		return nil, err
	}
	if name.Given, err = fhir.Texts(stored.Given, "name.given"); err != nil {
		return nil, err
	}
	if name.Prefix, err = fhir.Texts(stored.Prefix, "name.prefix"); err != nil {
		return nil, err
	}
	if name.Suffix, err = fhir.Texts(stored.Suffix, "name.suffix"); err != nil {
		return nil, err
	}
	if name.Use == "" && name.Text == "" && name.Family == "" && len(name.Given)+len(name.Prefix)+len(name.Suffix) == 0 {
		return nil, nil
	}
	return &name, nil
}

// resource is nil where there is nothing to reach somebody by: FHIR has no contact point without a value.
func (stored storedContactPoint) resource() (*fhir.ContactPoint, error) {
	if err := fhir.ContactPointSystems.Required(stored.System, "telecom.system"); err != nil {
		return nil, err
	}
	if err := fhir.ContactPointUses.Optional(stored.Use, "telecom.use"); err != nil {
		return nil, err
	}
	value, err := fhir.Text(stored.Value, "telecom.value")
	if err != nil || value == "" {
		return nil, err
	}
	return &fhir.ContactPoint{System: stored.System, Value: value, Use: stored.Use}, nil
}

// resource is nil where both ends are open: FHIR has no empty element.
func (stored *storedPeriod) resource(element string) (*fhir.Period, error) {
	if stored == nil || *stored == (storedPeriod{}) {
		return nil, nil
	}
	if err := fhir.DateTime(stored.Start, element); err != nil {
		return nil, err
	}
	if err := fhir.DateTime(stored.End, element); err != nil {
		return nil, err
	}
	return &fhir.Period{Start: stored.Start, End: stored.End}, nil
}

// each maps the stored values, and leaves out those that say nothing.
func each[Stored, Resource any](stored []Stored, resource func(Stored) (*Resource, error)) ([]Resource, error) {
	resources := make([]Resource, 0, len(stored))
	for _, value := range stored {
		mapped, err := resource(value)
		if err != nil {
			return nil, err
		}
		if mapped != nil {
			resources = append(resources, *mapped)
		}
	}
	return resources, nil
}
