package fhir

import (
	"fmt"
	"slices"
)

// Codes are a code set of which FHIR allows no other code.
type Codes []string

// The code sets of hl7.org/fhir/R4/valueset-administrative-gender.html, valueset-name-use.html, valueset-address-use.html,
// valueset-address-type.html, valueset-contact-point-system.html and valueset-contact-point-use.html.
var (
	AdministrativeGenders = Codes{"male", "female", "other", "unknown"}
	NameUses              = Codes{"usual", "official", "temp", "nickname", "anonymous", "old", "maiden"}
	AddressUses           = Codes{"home", "work", "temp", "old", "billing"}
	AddressTypes          = Codes{"postal", "physical", "both"}
	ContactPointSystems   = Codes{"phone", "fax", "email", "pager", "url", "sms", "other"}
	ContactPointUses      = Codes{"home", "work", "temp", "old", "mobile"}
)

// Optional is an error for a code that the set does not have. No code is none.
func (codes Codes) Optional(code, element string) error {
	if code == "" {
		return nil
	}
	return codes.Required(code, element)
}

// Required is an error where there is no code of the set.
func (codes Codes) Required(code, element string) error {
	if slices.Contains(codes, code) {
		return nil
	}
	return fmt.Errorf("%s: no code of FHIR", element)
}
