package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/dataexport/dataexport/httpadapter"
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
}

// parseSettings reads the command line. The error is flag.ErrHelp if help is asked for.
func parseSettings(args []string) (settings, error) {
	var s settings
	var keys []string
	flags := newFlagSet(&s, &keys)
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	switch {
	case flags.NArg() > 0:
		// It is not quoted: it may be a key.
		return settings{}, errors.New("there is an argument that belongs to no flag; every setting is a flag, see -help")
	case s.data == "":
		return settings{}, errors.New("-data is empty; name a directory")
	case s.retention <= 0:
		return settings{}, fmt.Errorf("-retention must be more than 0, such as 72h, not %s", s.retention)
	case s.workers < 1:
		return settings{}, fmt.Errorf("-workers must be at least 1, not %d", s.workers)
	}
	var err error
	s.keys, err = parseKeys(keys)
	return s, err
}

func newFlagSet(s *settings, keys *[]string) *flag.FlagSet {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are returned, and printed once
	flags.StringVar(&s.addr, "addr", "127.0.0.1:8080", "listen on this `HOST:PORT`; port 0 picks a free one")
	flags.StringVar(&s.data, "data", "./dataexport-data", "keep everything in this `DIR`")
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
	s.retention = 72 * time.Hour
	flags.Func("retention", "keep each file for this `DURATION` after it is ready (default 72h)", func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil {
			return errors.New("write a number with a unit, such as 72h or 90m")
		}
		s.retention = d
		return nil
	})
	flags.IntVar(&s.workers, "workers", 2, "work on this `NUMBER` of exports at the same time")
	return flags
}

func printUsage(w io.Writer) {
	flags := newFlagSet(new(settings), new([]string))
	fmt.Fprint(w, "Usage: server [flags]\n\nServes exports of memories, and the archive of an account, over HTTP. No flag is needed.\n\n")
	flags.SetOutput(w)
	flags.PrintDefaults()
	fmt.Fprint(w, "\nExample:\n  server -memories memories.jsonl.gz -key s3cret=acme-support -key other=studio-nord/anna:export.read\n"+
		"  server -account account.zip -key s3cret=acme-support/anna\n")
}
