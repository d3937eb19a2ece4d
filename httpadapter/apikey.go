package httpadapter

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
)

// An APIKey says whose key has a digest. The key itself is nowhere stored.
type APIKey struct {
	Digest    [sha256.Size]byte // DigestKey of the key
	Principal Principal
}

// DigestKey returns the SHA-256 of a key, to be stored in place of it. That is enough for keys that a machine has made,
// with 128 random bits or more, and too little for passwords.
func DigestKey(key string) [sha256.Size]byte { return sha256.Sum256([]byte(key)) }

// APIKeys makes an Options.Authenticate that looks for one of the keys in the X-Api-Key header. A header that is missing,
// empty or given twice is an ErrUnauthorized like a wrong key. If a digest is in the list twice, the first counts. How
// long the search takes does not depend on which key was given, or how much of one.
func APIKeys(keys []APIKey) func(*http.Request) (Principal, error) {
	keys = slices.Clone(keys)
	for i := range keys {
		keys[i].Principal.Permissions = slices.Clone(keys[i].Principal.Permissions)
	}
	return func(r *http.Request) (Principal, error) {
		given := r.Header.Values("X-Api-Key")
		if len(given) != 1 || given[0] == "" {
			return Principal{}, ErrUnauthorized
		}
		digest := DigestKey(given[0])
		found := -1
		for i := len(keys) - 1; i >= 0; i-- {
			found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(digest[:], keys[i].Digest[:]), i, found)
		}
		if found < 0 {
			return Principal{}, ErrUnauthorized
		}
		return keys[found].Principal, nil
	}
}
