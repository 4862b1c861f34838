package items

import (
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"tributary/bench/peers/go/internal/fhir"
)

// AddressSortKeyPrefix is how the sort keys of addresses begin.
const AddressSortKeyPrefix = "ADDRESS#"

// Address is one address of a patient, an item of the patient's collection and part of the Patient resource.
type Address struct {
	Use        string        `dynamodbav:"use"`
	Type       string        `dynamodbav:"type"`
	Line       []string      `dynamodbav:"line"`
	City       string        `dynamodbav:"city"`
	District   string        `dynamodbav:"district"`
	State      string        `dynamodbav:"state"`
	PostalCode string        `dynamodbav:"postalCode"`
	Country    string        `dynamodbav:"country"`
	Period     *storedPeriod `dynamodbav:"period"`
}

// Addresses are items of the table, in the same order.
func Addresses(stored []map[string]types.AttributeValue) ([]Address, error) {
	var addresses []Address
	err := attributevalue.UnmarshalListOfMaps(stored, &addresses)
	return addresses, err
}

// resource is nil for an address that says nothing.
func (stored Address) resource() (*fhir.Address, error) {
	if err := fhir.AddressUses.Optional(stored.Use, "address.use"); err != nil {
		return nil, err
	}
	if err := fhir.AddressTypes.Optional(stored.Type, "address.type"); err != nil {
		return nil, err
	}
	address := fhir.Address{Use: stored.Use, Type: stored.Type}
	var err error
	if address.Line, err = fhir.Texts(stored.Line, "Address.line"); err != nil {
		return nil, err
	}
	if address.City, err = fhir.Text(stored.City, "Address.city"); err != nil {
		return nil, err
	}
	if address.District, err = fhir.Text(stored.District, "Address.district"); err != nil {
		return nil, err
	}
	if address.State, err = fhir.Text(stored.State, "Address.state"); err != nil {
		return nil, err
	}
	if address.PostalCode, err = fhir.Text(stored.PostalCode, "Address.postalCode"); err != nil {
		return nil, err
	}
	if address.Country, err = fhir.Text(stored.Country, "Address.country"); err != nil {
		return nil, err
	}
	if address.Period, err = stored.Period.resource("Address.period"); err != nil {
		return nil, err
	}
	if address.IsEmpty() {
		return nil, nil
	}
	return &address, nil
}
