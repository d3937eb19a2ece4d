package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// The commands are for any shell of Unix. A comment sign in front of the sentences would be an error in zsh.
const welcomeText = `listening on URL
NOTE

Try it in another terminal, one command after the other:

1. Order an export of all memories of the workspace as CSV; json and markdown are the other formats.

  ID=$(curl -sS -X POST -H 'X-Api-Key: KEY' 'URL/v1/exports?format=csv' | sed 's/.*"id":"\([^"]*\)".*/\1/'); echo "$ID"

2. See how far it is. When its status is READY there is a file.

  curl -sS -H 'X-Api-Key: KEY' "URL/v1/exports/$ID"

3. Download the file.

  DOWNLOAD

4. List the exports, the newest first.

  curl -sS -H 'X-Api-Key: KEY' 'URL/v1/exports'
ACCOUNT
URL/ tells what else there is. Ctrl-C stops the server.
`

// accountText stands in the welcome if the subject of the first key has an account.
const accountText = `
5. Download the archive of the account, which belongs to the subject of the first key.

  curl -fsS -H 'X-Api-Key: KEY' -o account.json URL/api/v1/export
`

// The commands that download a file. With -redirect the server answers with a URL of the storage, which must not be sent the
// key; curl would do so if it followed by itself.
const (
	downloadCommand = `curl -fsS -H 'X-Api-Key: KEY' -o memories.csv "URL/v1/exports/$ID/download"`
	redirectCommand = `curl -fsS -o memories.csv "$(curl -fsS -H 'X-Api-Key: KEY' -o /dev/null -w '%{redirect_url}' "URL/v1/exports/$ID/download")"`
)

// printWelcome says where the server listens and what to try. Keys other than the demo key are not shown.
func printWelcome(w io.Writer, addr net.Addr, p *prepared, redirect bool) {
	key, note := p.demo, fmt.Sprintf("demo key %s for the workspace %q, the same after a restart", p.demo, demoWorkspace)
	if p.demo == "" {
		key, note = "YOUR-KEY", "the keys are those of -key; put one in place of YOUR-KEY below"
	}
	account, download := "", downloadCommand
	if p.hasAccount {
		account = accountText
	}
	if redirect {
		download = redirectCommand
	}
	text := strings.NewReplacer("DOWNLOAD", download, "ACCOUNT\n", account+"\n").Replace(welcomeText)
	text = strings.NewReplacer("NOTE", note, "URL", "http://"+addr.String(), "KEY", key).Replace(text)
	_, _ = io.WriteString(w, text) // a server whose output is closed works all the same
}

const helpText = `dataexport: memories as JSON, CSV or Markdown files, and whole accounts as JSON or zip

Every request needs a key in the header X-Api-Key. The server prints what to try when it starts.

POST   /v1/exports                  order an export
GET    /v1/exports                  list exports, newest first   page, page_size, status, format
GET    /v1/exports/{id}             one export: its status and how far it is
GET    /v1/exports/{id}/download    its file, once the status is READY
DELETE /v1/exports/{id}             cancel it, or remove it with its file
GET    /api/v1/export               the archive of the caller's account as JSON, at once

GET    /healthz                     200 while the server lives; needs no key
GET    /readyz                      200 if it can work, else 503 and why; needs no key

What an order can say in its query; all that is said must hold for a memory:

dataset          memories (default) or account; see below
format           json (default), csv or markdown
user_id, agent_id, session_id
priority         LOW, MEDIUM or HIGH
categories       up to 20 names with commas between them; a memory has at least one of them
created_after    2026-01-15T10:30:00Z or 2026-01-15, exclusive
created_before   likewise, exclusive

An account is its owner's alone: nobody else sees its exports. It is ordered with dataset=account and format=json or zip,
without any other condition, and comes as one archive of all that belongs to it, from a single moment.

An Idempotency-Key header makes sure that an order that is sent twice is carried out once.
`

// help answers who looks at the server with a browser.
func help(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, helpText) // the client is gone, or has it
}
