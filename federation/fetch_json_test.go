package federation

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
)

func TestCheckJSON(t *testing.T) {
	t.Parallel()
	const depth = 8
	manyDistinct, manyRepeated := `{"k":0`, ""
	for i := range 3 * manyKeys {
		manyDistinct += `,"k` + strconv.Itoa(i) + `":{"k":1}`
	}
	manyRepeated = manyDistinct + `,"k2":0}`
	manyDistinct += `}`
	for name, text := range map[string]string{
		"object":                 `{"id":"https://a.test/1","type":["Note"],"n":-1.5e+3,"t":true,"f":false,"z":null}`,
		"spaces":                 " {\t\"a\" : [ 1 , 2 ] ,\r\n \"b\" : { } , \"c\":[ ] } ",
		"escapes":                `{"a":"\"\\\/\b\f\n\r\té\ud83d\ude00"}`,
		"chinese":                `{"name":"陶瓷杯","a":"é"}`,
		"a scalar":               `"x"`,
		"same key at two levels": `{"id":1,"object":{"id":2,"object":[{"id":3},{"id":4}]}}`,
		"deep enough":            strings.Repeat("[", depth) + strings.Repeat("]", depth),
		"many keys":              manyDistinct,
		"terms in a context":     `{"@context":["https://a.test",{"Link":"x:Link","link":{"@id":"x:link"}}],"id":1}`,
		"empty key":              `{"":1}`,
		"zero":                   `[0,-0,0.0,0e0,10]`,
	} {
		if err := CheckJSON([]byte(text), depth); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"key twice":                    `{"id":1,"x":{},"id":2}`,
		"key twice, deeper":            `{"a":[{"b":{"c":1,"c":1}}]}`,
		"key twice, escaped":           `{"actor":1,"\u0061ctor":2}`,
		"key in another case":          `{"id":1,"ID":2}`,
		"key in another case, escaped": `{"id":1,"\u0049d":2}`,
		"key with a Kelvin sign":       `{"key":1,"` + "\u212a" + `ey":2}`,
		"key with a long s":            `{"summary":1,"` + "\u017fummary" + `":2}`,
		"key twice, Chinese":           `{"名":1,"名":2}`,
		"key twice in a context":       `{"@context":{"a":1,"a":2}}`,
		"key twice after a context":    `{"@context":{"A":1,"a":2},"id":1,"ID":2}`,
		"one of many keys twice":       manyRepeated,
		"too deep":                     strings.Repeat("[", depth+1) + strings.Repeat("]", depth+1),
		"too deep, objects":            strings.Repeat(`{"a":`, depth+1) + "1" + strings.Repeat("}", depth+1),
		"endless depth":                strings.Repeat("[", 1<<20),
		"invalid UTF-8":                "{\"a\":\"\xff\"}",
		"overlong UTF-8":               "{\"a\":\"\xc0\xaf\"}",
		"latin-1":                      "{\"name\":\"caf\xe9\"}",
		"UTF-16":                       "\xff\xfe{\x00}\x00",
		"byte order mark":              "\ufeff{}",
		"nothing":                      "",
		"only spaces":                  "  ",
		"two values":                   `{}{}`,
		"trailing comma":               `{"a":1,}`,
		"trailing comma in array":      `[1,]`,
		"missing comma":                `[1 2]`,
		"missing colon":                `{"a" 1}`,
		"bare key":                     `{a:1}`,
		"single quotes":                `{'a':1}`,
		"open string":                  `{"a":"b`,
		"open escape":                  `"\`,
		"open unicode escape":          `"\u12`,
		"unknown escape":               `"\x41"`,
		"control character":            "\"a\nb\"",
		"leading zero":                 `[01]`,
		"plus":                         `[+1]`,
		"no digits":                    `[-]`,
		"open fraction":                `[1.]`,
		"open exponent":                `[1e]`,
		"hex":                          `[0x1]`,
		"NaN":                          `[NaN]`,
		"capital literal":              `[True]`,
		"comment":                      `{}//`,
		"wrong bracket":                `[1}`,
	} {
		if err := CheckJSON([]byte(text), depth); !errors.Is(err, ErrJSON) {
			t.Errorf("%s: %v, want ErrJSON", name, err)
		}
	}
}

// FuzzCheckJSON holds it against encoding/json: what passes is well formed, and what is well formed passes unless a key
// repeats, or it is too deep or not UTF-8.
func FuzzCheckJSON(f *testing.F) {
	for _, seed := range []string{
		`{"id":"a","object":{"ID":[1,-2.5e3,true,null,"\u00e9\ud83d"]}}`, `{"a":1,"\u0061":2}`, `[[[[]]]]`, `"\`, `{"@context":{"A":1,"a":2}}`,
		"{\"\u212a\":1,\"k\":2}", `{"a":{"b":1,"c":2,"b":3}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		err := CheckJSON(b, 16)
		if err == nil && !json.Valid(b) {
			t.Fatalf("accepted what is not JSON: %q", b)
		}
		if err != nil && json.Valid(b) && strings.Contains(err.Error(), "malformed") {
			t.Fatalf("refused JSON as malformed: %q", b)
		}
		if err == nil {
			// What encoding/json finds by folding, it finds by the exact key.
			var exact map[string]json.RawMessage
			var field struct{ ID, Actor, Summary, Key json.RawMessage }
			if json.Unmarshal(b, &exact) == nil && json.Unmarshal(b, &field) == nil {
				for name, got := range map[string]json.RawMessage{"id": field.ID, "actor": field.Actor, "summary": field.Summary, "key": field.Key} {
					if want, ok := exact[name]; ok && string(want) != string(got) {
						t.Fatalf("%s is %s in a map and %s in a struct: %q", name, want, got, b)
					}
				}
			}
		}
	})
}

// FuzzDigest: a digest field is accepted only where it holds a sum of the body.
func FuzzDigest(f *testing.F) {
	f.Add("SHA-256="+strings.TrimPrefix(digestOf(nil), "SHA-256="), []byte{})
	f.Add("md5=x, sha-256=AA==", []byte("a"))
	f.Add(contentDigestOf([]byte("a")), []byte("a"))
	f.Add("sha-512=:AA==:, sha-256=?1", []byte("a"))
	f.Fuzz(func(t *testing.T, field string, body []byte) {
		sum256, sum512 := sha256.Sum256(body), sha512.Sum512(body)
		// base64 may be broken over lines, and its last digit holds bits that do not count.
		text := strings.NewReplacer("\r", "", "\n", "").Replace(field)
		held := strings.Contains(text, base64.StdEncoding.EncodeToString(sum256[:])[:42]) ||
			strings.Contains(text, base64.StdEncoding.EncodeToString(sum512[:])[:85])
		for spec, err := range map[string]error{"digest": checkDigest(field, body), "content-digest": checkContentDigest(field, body)} {
			if err == nil && !held {
				t.Errorf("%s %q was accepted for %q", spec, field, body)
			}
		}
	})
}

func BenchmarkCheckJSON(b *testing.B) {
	note := []byte(`{"@context":["https://www.w3.org/ns/activitystreams",{"Hashtag":"as:Hashtag","sensitive":"as:sensitive"}],` +
		`"id":"https://remote.test/act/1","type":"Create","actor":"https://remote.test/users/alice","object":{"id":"https://remote.test/notes/1",` +
		`"type":"Note","attributedTo":"https://remote.test/users/alice","content":"` + strings.Repeat("<p>陶瓷杯, hand-thrown.</p>", 40) + `",` +
		`"tag":[{"type":"Hashtag","name":"#ceramics","href":"https://remote.test/tags/ceramics"}]}}`)
	b.Run("CheckJSON", func(b *testing.B) {
		b.SetBytes(int64(len(note)))
		b.ReportAllocs()
		for b.Loop() {
			if err := CheckJSON(note, 32); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json.Valid", func(b *testing.B) {
		b.SetBytes(int64(len(note)))
		for b.Loop() {
			if !json.Valid(note) {
				b.Fatal("not valid")
			}
		}
	})
	keys := []byte(`{"0":0`)
	for i := range 10_000 {
		keys = append(append(append(keys, `,"k`...), strconv.Itoa(i)...), `":0`...)
	}
	keys = append(keys, '}')
	b.Run("10000 keys", func(b *testing.B) {
		b.SetBytes(int64(len(keys)))
		for b.Loop() {
			if err := CheckJSON(keys, 32); err != nil {
				b.Fatal(err)
			}
		}
	})
}
