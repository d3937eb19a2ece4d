package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dataexport/dataexport/httpadapter"
)

// demoWorkspace is the workspace of the demo key; the sample has memories in it.
const demoWorkspace = "demo"

var allPermissions = []httpadapter.Permission{httpadapter.PermissionRead, httpadapter.PermissionWrite}

// parseKeys reads the values of all -key flags. Errors count the flags and never show a key.
func parseKeys(texts []string) ([]httpadapter.APIKey, error) {
	var keys []httpadapter.APIKey
	for i, text := range texts {
		key, err := parseKey(text)
		if err == nil && slices.ContainsFunc(keys, func(k httpadapter.APIKey) bool { return k.Digest == key.Digest }) {
			err = errors.New("the same key is given by an earlier -key")
		}
		if err != nil {
			return nil, fmt.Errorf("-key number %d: %w; the form is KEY=WORKSPACE[/SUBJECT][:PERMISSION,...]", i+1, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// parseKey reads KEY=WORKSPACE[/SUBJECT][:PERMISSION,...]. Of the signs = / and : the first of its kind separates, and a
// second one is an error: where a credential is concerned nothing is guessed.
func parseKey(text string) (httpadapter.APIKey, error) {
	secret, owner, found := strings.Cut(text, "=")
	if !found {
		return httpadapter.APIKey{}, errors.New(`there is no "=" between key and workspace`)
	}
	if err := checkSecret(secret); err != nil {
		return httpadapter.APIKey{}, err
	}
	owner, list, limited := strings.Cut(owner, ":")
	workspace, subject, named := strings.Cut(owner, "/")
	if err := checkName("workspace", workspace); err != nil {
		return httpadapter.APIKey{}, err
	}
	if !named {
		subject = subjectOf(secret)
	} else if err := checkName("subject", subject); err != nil {
		return httpadapter.APIKey{}, err
	}
	permissions := allPermissions
	if limited {
		var err error
		if permissions, err = parsePermissions(list); err != nil {
			return httpadapter.APIKey{}, err
		}
	}
	return newKey(secret, workspace, subject, permissions), nil
}

func newKey(secret, workspace, subject string, permissions []httpadapter.Permission) httpadapter.APIKey {
	return httpadapter.APIKey{
		Digest:    httpadapter.DigestKey(secret),
		Principal: httpadapter.Principal{WorkspaceID: workspace, Subject: subject, Permissions: permissions},
	}
}

// subjectOf names the holder of a key that names none: always the same, and telling nothing of the key.
func subjectOf(secret string) string {
	digest := sha256.Sum256([]byte("subject of " + secret))
	return "key-" + hex.EncodeToString(digest[:6])
}

func checkSecret(secret string) error {
	if secret == "" {
		return errors.New("the key is empty")
	}
	if strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("the key has a character that is not visible ASCII and cannot be sent in a header")
	}
	return nil
}

func checkName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("the %s is empty", what)
	case strings.ContainsAny(name, "=/"):
		return fmt.Errorf(`the %s has a %q in it`, what, name[strings.IndexAny(name, "=/")])
	case name != strings.TrimSpace(name):
		return fmt.Errorf("the %s begins or ends with a blank", what)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("the %s is not plain text", what)
	}
	return nil
}

func parsePermissions(list string) ([]httpadapter.Permission, error) {
	var permissions []httpadapter.Permission
	for name := range strings.SplitSeq(list, ",") {
		permission := httpadapter.Permission(name)
		if !slices.Contains(allPermissions, permission) {
			// It is not shown: it may be a piece of the key.
			return nil, errors.New("a permission is neither export.read nor export.write")
		}
		if slices.Contains(permissions, permission) {
			return nil, fmt.Errorf("the permission %s is there twice", name)
		}
		permissions = append(permissions, permission)
	}
	return permissions, nil
}
