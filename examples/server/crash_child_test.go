//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/fileblob"
	"github.com/dataexport/dataexport/store/sqlitestore"
)

// A childRole is what a process does that is to be killed.
type childRole string

const (
	working  childRole = "" // it works on the jobs until its standard input ends
	ordering childRole = "ordering"
	deleting childRole = "deleting"
)

// A childTask says what a child does and where it ends. It goes from the test to the child through the environment.
type childTask struct {
	Dir          string
	Role         childRole
	Event        string
	Nth          int
	Hold, Fail   bool
	Pause        bool                     // it does not end at the event, but stops until it is sent SIGCONT
	Request      dataexport.CreateRequest // of ordering
	Job          string                   // of deleting
	Retention    time.Duration
	JobRetention time.Duration
}

const childVariable = "DATAEXPORT_CRASH_CHILD"

// What a child prints.
const (
	reachedLine = "reached"
	heldLine    = "held"
)

// A child is this test binary, run again. It begins here, before TestMain, which would build the server for each child.
var _ = beChild()

// beChild does not return in a child.
func beChild() bool {
	text := os.Getenv(childVariable)
	if text == "" {
		return false
	}
	var task childTask
	err := json.Unmarshal([]byte(text), &task)
	if err == nil {
		err = task.carryOut(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
	os.Exit(0)
	return true
}

func (c *childTask) carryOut(ctx context.Context) (err error) {
	db, err := openPrepared(ctx, c.Dir, 4)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	files, err := fileblob.New(filepath.Join(c.Dir, "files"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	k := &killer{event: c.Event, pause: c.Pause}
	k.left.Store(int64(max(c.Nth, 1)))
	service, err := dataexport.New(dataexport.Config{
		Datasets:     []dataexport.Dataset{db.Memories(database.DefaultPageSize)},
		Renderers:    render.Standard(),
		Store:        &killingStore{sqlitestore.New(db.SQL), k},
		Blobs:        &killingBlobs{files, k, c.Hold, c.Fail},
		Logger:       slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Workers:      1,
		MaxAttempts:  crashMaxAttempts,
		Backoff:      func(int) time.Duration { return 10 * time.Millisecond },
		Retention:    c.Retention,
		JobRetention: c.JobRetention,
	})
	if err != nil {
		return err
	}
	switch c.Role {
	case ordering:
		_, _, err := service.Create(ctx, c.Request)
		return err
	case deleting:
		return service.Delete(ctx, crashScope, c.Job)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return service.Run(ctx)
}

// A killer ends the process when an event has come a number of times, or pauses it once.
type killer struct {
	event string
	left  atomic.Int64
	pause bool
}

func (k *killer) reach(event string) {
	if event != k.event || k.left.Add(-1) != 0 {
		return
	}
	if k.pause {
		// It goes no further before it is told to, since the signal takes a moment: it must not be stopped when it has
		// locked the database, where nobody else could take over from it.
		goOn := make(chan os.Signal, 1)
		signal.Notify(goOn, syscall.SIGCONT)
		fmt.Println(reachedLine)
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		<-goOn
		return
	}
	fmt.Println(reachedLine)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // nothing more happens, however long the signal takes
}

// around reaches the event before a call and, if it succeeds, the one after it.
func (k *killer) around(name string, call func() error) error {
	k.reach("before " + name)
	err := call()
	if err == nil {
		k.reach("after " + name)
	}
	return err
}

// A killingStore is a store whose changes are events.
type killingStore struct {
	*sqlitestore.Store
	killer *killer
}

func (s *killingStore) Create(ctx context.Context, n dataexport.NewJob) (j dataexport.Job, replayed bool, err error) {
	err = s.killer.around("Store.Create", func() error {
		j, replayed, err = s.Store.Create(ctx, n)
		return err
	})
	return j, replayed, err
}

func (s *killingStore) Find(ctx context.Context, id string) (j dataexport.Job, err error) {
	err = s.killer.around("Store.Find", func() error {
		j, err = s.Store.Find(ctx, id)
		return err
	})
	return j, err
}

func (s *killingStore) Claim(ctx context.Context, o dataexport.ClaimOptions) (j dataexport.Job, err error) {
	err = s.killer.around("Store.Claim", func() error {
		j, err = s.Store.Claim(ctx, o)
		return err
	})
	return j, err
}

func (s *killingStore) Update(ctx context.Context, job dataexport.Job, d time.Duration) (j dataexport.Job, err error) {
	err = s.killer.around("Store.Update "+string(job.Status), func() error {
		j, err = s.Store.Update(ctx, job, d)
		return err
	})
	return j, err
}

func (s *killingStore) Delete(ctx context.Context, scope dataexport.Scope, id string) (j dataexport.Job, err error) {
	err = s.killer.around("Store.Delete", func() error {
		j, err = s.Store.Delete(ctx, scope, id)
		return err
	})
	return j, err
}

// killingBlobs are files whose changes are events.
type killingBlobs struct {
	*fileblob.Store
	killer     *killer
	hold, fail bool
}

func (b *killingBlobs) Put(ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error {
	return b.killer.around("Blobs.Put", func() error {
		return b.Store.Put(ctx, key, f, func(w io.Writer) error {
			if err := write(&killingWriter{ctx, w, b}); err != nil {
				return err
			}
			b.killer.reach("before commit")
			return nil
		})
	})
}

func (b *killingBlobs) Delete(ctx context.Context, key string) error {
	return b.killer.around("Blobs.Delete", func() error { return b.Store.Delete(ctx, key) })
}

// A killingWriter writes the file of one attempt.
type killingWriter struct {
	ctx   context.Context // of the Put
	w     io.Writer
	blobs *killingBlobs
}

func (w *killingWriter) Write(b []byte) (int, error) {
	if w.blobs.fail {
		return 0, errors.New("no space left, says the test")
	}
	if w.blobs.hold {
		fmt.Println(heldLine)
		<-w.ctx.Done()
		return 0, context.Cause(w.ctx)
	}
	w.blobs.killer.reach("before Write")
	n, err := w.w.Write(b[:len(b)/2])
	if err != nil {
		return n, err
	}
	w.blobs.killer.reach("in Write")
	rest, err := w.w.Write(b[n:])
	return n + rest, err
}
