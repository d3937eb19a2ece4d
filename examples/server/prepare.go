package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/httpadapter"
)

// prepared is what is known once the database is ready.
type prepared struct {
	keys       []httpadapter.APIKey // those that are let in
	demo       string               // the demo key, empty where other keys are let in
	accounts   *archive.Archive
	hasAccount bool // the subject of the first key has one
}

// retryMax is the longest time until a database that cannot be reached is tried again.
const retryMax = 5 * time.Second

// prepare makes what is missing in the database, and imports. As long as the database cannot be reached it tries again;
// any other error, such as a wrong password or a bad line, is one that somebody has to do something about.
func (h *host) prepare(ctx context.Context, health *health) (*prepared, error) {
	for wait := 500 * time.Millisecond; ; wait = min(2*wait, retryMax) {
		p, err := h.tryToPrepare(ctx)
		switch {
		case err == nil:
			return p, nil
		case ctx.Err() != nil: // which may have shown as a connection that broke
			return nil, ctx.Err()
		case !h.backend.unreachable(err):
			return nil, err
		}
		health.say("the database does not answer")
		h.log.Warn("the database does not answer; it will be tried again", slog.String("addr", h.addr.String()), slog.Duration("in", wait), slog.Any("error", err))
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (h *host) tryToPrepare(ctx context.Context) (*prepared, error) {
	if err := h.backend.prepare(ctx); err != nil {
		return nil, err
	}
	p := &prepared{}
	var err error
	if p.accounts, err = database.AccountArchive(h.backend.db); err != nil {
		return nil, err
	}
	if err := h.findKeys(ctx, p); err != nil {
		return nil, err
	}
	owner := dataexport.Scope{WorkspaceID: p.keys[0].Principal.WorkspaceID, Subject: p.keys[0].Principal.Subject}
	if err := database.ImportAccount(ctx, h.backend.db, p.accounts, h.settings.account, owner, h.log); err != nil {
		return nil, err
	}
	if err := database.ImportMemories(ctx, h.backend.db, h.settings.memories, h.log); err != nil {
		return nil, err
	}
	p.hasAccount, err = h.backend.db.HasAccount(ctx, owner)
	return p, err
}

// findKeys finds the keys that are let in: those of the command line, or else the demo key. That is made once and kept with
// the data, so that the commands of the first day still work on the second, and at every server of one database.
func (h *host) findKeys(ctx context.Context, p *prepared) (err error) {
	if p.keys = h.settings.keys; len(p.keys) > 0 {
		return nil
	}
	if p.demo, err = h.backend.db.Setting(ctx, "demo key", "demo_"+rand.Text()); err != nil {
		return fmt.Errorf("looking for the demo key: %w", err)
	}
	p.keys = []httpadapter.APIKey{newKey(p.demo, demoWorkspace, subjectOf(p.demo), allPermissions)}
	return nil
}
