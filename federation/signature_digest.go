package federation

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"strings"

	"github.com/dunglas/httpsfv"
)

// digestOf returns the Digest field (RFC 3230) of a body.
func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return "SHA-256=" + base64.StdEncoding.EncodeToString(sum[:])
}

// contentDigestOf returns the Content-Digest field (RFC 9530) of a body.
func contentDigestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// checkDigest compares a Digest field (RFC 3230: algorithm=base64, with commas between) with the body. Algorithms other
// than SHA-256 and SHA-512 are ignored, but one of the two must be there, and each that is there must match.
func checkDigest(field string, body []byte) error {
	known := false
	for part := range strings.SplitSeq(field, ",") {
		algorithm, text, ok := strings.Cut(strings.Trim(part, " \t"), "=")
		if !ok {
			return refuse("the digest field cannot be read")
		}
		algorithm = strings.ToLower(algorithm)
		if algorithm != "sha-256" && algorithm != "sha-512" {
			continue
		}
		value, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return refuse("the digest field cannot be read")
		}
		if !digestMatches(algorithm, value, body) {
			return refuse("the digest does not match the body")
		}
		known = true
	}
	if !known {
		return refuse("the digest has no supported algorithm")
	}
	return nil
}

// checkContentDigest compares a Content-Digest field (RFC 9530, 2) with the body, by the same rule.
func checkContentDigest(field string, body []byte) error {
	dict, err := httpsfv.UnmarshalDictionary([]string{field})
	if err != nil {
		return refuse("the content-digest field cannot be read")
	}
	known := false
	for _, algorithm := range [...]string{"sha-256", "sha-512"} {
		member, ok := dict.Get(algorithm)
		if !ok {
			continue
		}
		item, _ := member.(httpsfv.Item)
		value, ok := item.Value.([]byte)
		if !ok {
			return refuse("the content-digest field cannot be read")
		}
		if !digestMatches(algorithm, value, body) {
			return refuse("the content-digest does not match the body")
		}
		known = true
	}
	if !known {
		return refuse("the content-digest has no supported algorithm")
	}
	return nil
}

func digestMatches(algorithm string, value, body []byte) bool {
	if algorithm == "sha-512" {
		sum := sha512.Sum512(body)
		return bytes.Equal(sum[:], value)
	}
	sum := sha256.Sum256(body)
	return bytes.Equal(sum[:], value)
}
