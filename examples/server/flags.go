package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dataexport/dataexport/examples/server/internal/database/postgres"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/dataexport/dataexport/store/cloudblob"
	"github.com/dataexport/dataexport/store/compressblob"
)

// settings is what the command line says.
type settings struct {
	addr      string
	data      string
	memories  string // empty for the sample
	account   string // empty for none
	keys      []httpadapter.APIKey
	retention time.Duration
	workers   int
	lease     time.Duration
	attempts  int
	store     string // the URL of a PostgreSQL database, or empty for SQLite
	queue     string // queuePool or queueRiver
	blobs     string // a directory or the URL of a bucket, or empty for a directory below data
	compress  string // a coding of compressblob, or empty for none
	redirect  time.Duration
}

// What brings the jobs to the workers.
const (
	queuePool  = "pool"
	queueRiver = "river"
)

// parseSettings reads the command line. The error is flag.ErrHelp if help is asked for.
func parseSettings(args []string) (settings, error) {
	var s settings
	var keys []string
	flags := newFlagSet(&s, &keys)
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	if flags.NArg() > 0 {
		// It is not quoted: it may be a key.
		return settings{}, errors.New("there is an argument that belongs to no flag; every setting is a flag, see -help")
	}
	if err := s.validate(); err != nil {
		return settings{}, err
	}
	var err error
	s.keys, err = parseKeys(keys)
	return s, err
}

// validate reports what is wrong with the values of single flags, and with how they go together.
func (s *settings) validate() error {
	switch {
	case s.data == "":
		return errors.New("-data is empty; name a directory")
	case s.retention <= 0:
		return fmt.Errorf("-retention must be more than 0, such as 72h, not %s", s.retention)
	case s.workers < 1:
		return fmt.Errorf("-workers must be at least 1, not %d", s.workers)
	case s.lease < time.Second:
		return fmt.Errorf("-lease must be at least 1s, not %s", s.lease)
	case s.attempts < 1:
		return fmt.Errorf("-attempts must be at least 1, not %d", s.attempts)
	case s.redirect < 0:
		return fmt.Errorf("-redirect must not be negative, but is %s", s.redirect)
	case s.redirect > cloudblob.MaxExpiry:
		return fmt.Errorf("-redirect must be at most %s, the longest that a bucket signs for, not %s", cloudblob.MaxExpiry, s.redirect)
	case s.redirect > 0 && !strings.Contains(s.blobs, "://"):
		return errors.New("-redirect needs storage that signs URLs; name a bucket with -blobs, such as s3://BUCKET")
	case s.compress != "" && s.compress != string(compressblob.Gzip) && s.compress != string(compressblob.Zstd):
		return fmt.Errorf("-compress must be %s or %s, not %q", compressblob.Gzip, compressblob.Zstd, s.compress)
	case s.compress != "" && s.redirect > 0:
		return errors.New("-compress and -redirect do not go together: the bucket would send what it has, which is compressed")
	case s.queue != queuePool && s.queue != queueRiver:
		return fmt.Errorf("-queue must be %s or %s, not %q", queuePool, queueRiver, s.queue)
	case s.queue == queueRiver && s.store == "":
		return errors.New("-queue river keeps its jobs in PostgreSQL; name the database with -store postgres://USER@HOST/DATABASE")
	case s.store != "":
		return postgres.CheckURL(s.store)
	}
	return nil
}

func newFlagSet(s *settings, keys *[]string) *flag.FlagSet {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are returned, and printed once
	flags.StringVar(&s.addr, "addr", "127.0.0.1:8080", "listen on this `HOST:PORT`; port 0 picks a free one")
	flags.StringVar(&s.data, "data", "./dataexport-data", "keep everything in this `DIR` that is not elsewhere by -store and -blobs")
	flags.StringVar(&s.store, "store", "", "keep memories, accounts and jobs in this PostgreSQL database,\n"+
		"postgres://USER:PASSWORD@HOST/DATABASE, in place of SQLite in -data. Several servers can share\n"+
		"the `URL`; give them one -blobs and the same -key and -memories. PGPASSWORD or a ~/.pgpass hide\n"+
		"the password better than a command line does")
	flags.StringVar(&s.queue, "queue", queuePool, "what brings the jobs to the workers, `pool|river`: the library's own or, with -store, River")
	flags.StringVar(&s.blobs, "blobs", "", "keep the exported files in this `DIR|URL`: a directory, by default files in -data, or a bucket\n"+
		"such as s3://BUCKET?region=eu-central-1. It belongs to one database: files that no job of it\n"+
		"knows are removed")
	flags.StringVar(&s.compress, "compress", "", "compress the exported files, `gzip|zstd`. Clients that accept gzip get it as it is stored, and all\n"+
		"others the file itself")
	duration(flags, &s.redirect, "redirect", 0, "redirect downloads to URLs that the bucket of -blobs has signed for this `DURATION`, such as 5m")
	flags.StringVar(&s.memories, "memories", "", "import this JSON Lines `FILE`, plain or gzip, in place of the sample; "+
		"it is ignored\nonce there are memories")
	flags.StringVar(&s.account, "account", "", "import this account archive `FILE`, JSON or zip, as the account of the first key's subject; without\n"+
		"-memories it stands in place of the sample too. It is ignored once there is an account")
	flags.Func("key", "let in who sends this key: `KEY=WORKSPACE[/SUBJECT][:PERMISSION,...]`; repeatable. Permissions\n"+
		"are export.read and export.write, by default both; the subject is by default one of the\n"+
		"key's own. Without -key there is a demo key for the workspace demo", func(text string) error {
		// Never an error here: package flag would print the key with it.
		*keys = append(*keys, text)
		return nil
	})
	duration(flags, &s.retention, "retention", 72*time.Hour, "keep each file for this `DURATION` after it is ready (default 72h)")
	duration(flags, &s.lease, "lease", 30*time.Second, "give the job of a server that is silent for this `DURATION` to another (default 30s)")
	flags.IntVar(&s.attempts, "attempts", 5, "try each export up to this `NUMBER` of times; a server that dies costs one")
	flags.IntVar(&s.workers, "workers", 2, "work on this `NUMBER` of exports at the same time")
	return flags
}

// duration defines a flag whose errors say how to write a duration. The usage says the default: package flag does not know
// it, and would write 72h0m0s.
func duration(flags *flag.FlagSet, target *time.Duration, name string, value time.Duration, usage string) {
	*target = value
	flags.Func(name, usage, func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil {
			return errors.New("write a number with a unit, such as 72h, 90m or 30s")
		}
		*target = d
		return nil
	})
}

func printUsage(w io.Writer) {
	flags := newFlagSet(new(settings), new([]string))
	fmt.Fprint(w, "Usage: server [flags]\n\nServes exports of memories, and the archive of an account, over HTTP. No flag is needed.\n\n")
	flags.SetOutput(w)
	flags.PrintDefaults()
	fmt.Fprint(w, "\nGET /healthz and GET /readyz tell whether the server lives and whether it can work; GET / tells the rest.\n\nExamples:\n  server -memories memories.jsonl.gz -key s3cret=acme-support -key other=studio-nord/anna:export.read\n"+
		"  server -account account.zip -key s3cret=acme-support/anna\n"+
		"  server -store postgres://exports@db.internal/exports -queue river -blobs 's3://acme-exports?region=eu-central-1'\n")
}
