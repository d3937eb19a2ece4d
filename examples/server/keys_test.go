package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/httpadapter"
)

func TestParseKey(t *testing.T) {
	const read, write = httpadapter.PermissionRead, httpadapter.PermissionWrite
	for _, test := range []struct {
		text, secret string
		want         httpadapter.Principal
	}{
		{"k=w", "k", httpadapter.Principal{WorkspaceID: "w", Subject: subjectOf("k"), Permissions: []httpadapter.Permission{read, write}}},
		{"k:/,=w", "k:/,", httpadapter.Principal{WorkspaceID: "w", Subject: subjectOf("k:/,"), Permissions: []httpadapter.Permission{read, write}}},
		{"k=Studio Nord/anna", "k", httpadapter.Principal{WorkspaceID: "Studio Nord", Subject: "anna", Permissions: []httpadapter.Permission{read, write}}},
		{"k=w:export.read", "k", httpadapter.Principal{WorkspaceID: "w", Subject: subjectOf("k"), Permissions: []httpadapter.Permission{read}}},
		{"k=w/anna:export.write,export.read", "k", httpadapter.Principal{WorkspaceID: "w", Subject: "anna", Permissions: []httpadapter.Permission{write, read}}},
	} {
		key, err := parseKey(test.text)
		require.NoError(t, err, test.text)
		assert.Equal(t, test.want, key.Principal, test.text)
		assert.Equal(t, httpadapter.DigestKey(test.secret), key.Digest, test.text)
	}
}

func TestParseKeysRefuses(t *testing.T) {
	for text, problem := range map[string]string{
		"":                                   `there is no "="`,
		"s3cret":                             `there is no "="`,
		"=w":                                 "the key is empty",
		"s3 cret=w":                          "not visible ASCII",
		"s3cret\n=w":                         "not visible ASCII",
		"s3cré=w":                            "not visible ASCII",
		"s3cret=":                            "the workspace is empty",
		"s3cret==w":                          "the workspace has a '=' in it",
		"s3cret=/anna":                       "the workspace is empty",
		"s3cret= w":                          "the workspace begins or ends with a blank",
		"s3cret=w\x00":                       "the workspace is not plain text",
		"s3cret=\xff":                        "the workspace is not plain text",
		"s3cret=w/":                          "the subject is empty",
		"s3cret=w/a/b":                       "the subject has a '/' in it",
		"s3cret=w/a ":                        "the subject begins or ends with a blank",
		"s3cret=w:":                          "neither export.read nor export.write",
		"s3cret=w:read":                      "neither export.read nor export.write",
		"s3cret=w:export.read,":              "neither export.read nor export.write",
		"s3cret=w:export.read, export.write": "neither export.read nor export.write",
		"s3cret=w:EXPORT.READ":               "neither export.read nor export.write",
		"s3cret=w:export.read:export.write":  "neither export.read nor export.write",
		"s3cret=w:export.read,export.read":   "the permission export.read is there twice",
		"s3cret=w:s3cret":                    "neither export.read nor export.write",
		"first=other":                        "the same key is given by an earlier -key",
		"first=w/somebody-else:export.read":  "the same key is given by an earlier -key",
	} {
		_, err := parseKeys([]string{"first=w", text})
		if assert.ErrorContains(t, err, "-key number 2: ", "%q", text) {
			assert.ErrorContains(t, err, problem, "%q", text)
			assert.NotContains(t, err.Error(), "s3")
		}
	}
}

func TestSubjectOf(t *testing.T) {
	assert.Equal(t, subjectOf("a"), subjectOf("a"))
	assert.NotEqual(t, subjectOf("a"), subjectOf("b"))
	assert.Regexp(t, "^key-[0-9a-f]{12}$", subjectOf("a"))
}
