package digest

import "testing"

func TestANameIsTheOneThatTributaryGives(t *testing.T) {
	stream := "arn:aws:dynamodb:eu-west-1:111122223333:table/items/stream/1"
	if name := Of("change", stream, "e", "7"); name != "f1184d0dc1aabd7db695fb01d0d6b7fc" {
		t.Error(name)
	}
}

func TestANameDependsOnWhereAPartEnds(t *testing.T) {
	if Of("key", "ab", "c") == Of("key", "a", "bc") {
		t.Error("equal")
	}
}
