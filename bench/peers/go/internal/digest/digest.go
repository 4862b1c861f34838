// Package digest makes names of what they name.
package digest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// keptBytes of a SHA-256 digest make a name: 128 bits, written as 32 hexadecimal digits.
const keptBytes = 16

// Of names the parts. Each is preceded by its length in bytes, so that ("a", "bc") and ("ab", "c") differ, and all of them
// by what they are a digest of.
func Of(kind string, parts ...string) string {
	text := make([]byte, 0, 256)
	text = append(text, kind...)
	for _, part := range parts {
		text = binary.BigEndian.AppendUint64(text, uint64(len(part)))
		text = append(text, part...)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:keptBytes])
}
