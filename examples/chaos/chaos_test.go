//go:build linux

package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/store/cloudblob/s3test"
	"github.com/dataexport/dataexport/store/pgstore/postgrestest"
)

const (
	lease       = 2 * time.Second
	maxAttempts = 5
	customers   = 60 // at the same time
)

// settings is what the environment says.
type settings struct {
	duration time.Duration
	seed     uint64
	binary   string
}

// long reports whether there is time for faults that outlast every timeout.
func (s *settings) long() bool { return s.duration >= time.Minute }

func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	s := readSettings(t)
	t.Logf("DATAEXPORT_CHAOS=%s DATAEXPORT_CHAOS_SEED=%d", s.duration, s.seed)
	s.binary = buildServer(t)
	for _, queue := range []string{"pool", "river"} {
		t.Run(queue, func(t *testing.T) {
			t.Parallel()
			newWorld(t, s, queue).run()
		})
	}
}

func readSettings(t *testing.T) settings {
	t.Helper()
	s := settings{duration: 12 * time.Second, seed: uint64(time.Now().UnixNano()) % 1_000_000} //nolint:gosec // any number will do
	var err error
	if text := os.Getenv("DATAEXPORT_CHAOS"); text != "" {
		s.duration, err = time.ParseDuration(text)
		require.NoError(t, err, "DATAEXPORT_CHAOS")
	}
	if text := os.Getenv("DATAEXPORT_CHAOS_SEED"); text != "" {
		s.seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "DATAEXPORT_CHAOS_SEED")
	}
	return s
}

// buildServer builds the program so that it also fails when goroutines are left at its end.
func buildServer(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "server")
	args := []string{"build", "-tags", "leakcheck", "-o", binary}
	if os.Getenv("DATAEXPORT_CHAOS_RACE") == "1" {
		args = append(args, "-race")
	}
	out, err := exec.CommandContext(t.Context(), "go", append(args, "../server")...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}

// A world is all that there is: the servers, what they share, and those who use and disturb them.
type world struct {
	t        *testing.T
	settings settings
	data     *data
	timeline *timeline

	postgres *postgrestest.Server
	database *databaseProxy // in front of postgres
	storage  *s3test.Server
	bucket   *bucketProxy // in front of storage
	members  []*member
	orders   orders
	accounts map[string][]byte // what a quiet run makes of the account, by format

	suspects suspects // jobs whose history is of interest if the test fails
}

func newWorld(t *testing.T, s settings, queue string) *world {
	t.Helper()
	w := &world{t: t, settings: s, data: newData(t), timeline: &timeline{begun: time.Now()}}
	w.postgres = postgrestest.Run(t, postgrestest.Options{})
	w.database = startDatabaseProxy(t, w.postgres.Address())
	w.storage = s3test.Start(t)
	if os.Getenv(s3test.GatewayVariable) != "" {
		w.storage = s3test.StartGateway(t)
	}
	w.bucket = startBucketProxy(t, w.storage.Endpoint, w.random("bucket"))
	for i := range 3 {
		w.members = append(w.members, w.newMember(fmt.Sprint("server ", i+1), queue))
	}
	t.Cleanup(w.report)
	return w
}

// newMember returns a server that is not started yet.
func (w *world) newMember(name, queue string) *member {
	bucket := *w.storage
	bucket.Endpoint = w.bucket.url
	args := []string{
		"-addr", "127.0.0.1:0", "-data", w.t.TempDir(), "-store", w.database.url(w.postgres.URL("postgres")), "-blobs", bucket.URL(),
		"-queue", queue, "-lease", lease.String(), "-attempts", strconv.Itoa(maxAttempts), "-workers", "2",
		"-memories", w.data.file, "-account", w.data.account,
	}
	m := &member{
		t: w.t, name: name, timeline: w.timeline, logFile: filepath.Join(w.t.TempDir(), "log"),
		binary: w.settings.binary, args: append(args, w.data.keyFlags()...), environ: bucket.Environ(),
	}
	w.t.Cleanup(func() { _ = m.end(syscall.SIGKILL) }) // of a test that has failed
	return m
}

// random returns numbers that follow from the seed and are others for each purpose.
func (w *world) random(purpose string) *rand.Rand {
	var stream uint64
	for _, b := range []byte(purpose) {
		stream = stream*131 + uint64(b)
	}
	return rand.New(rand.NewPCG(w.settings.seed, stream))
}

func (w *world) run() {
	w.begin()
	w.timeline.add("chaos begins")
	ctx, cancel := context.WithTimeout(w.t.Context(), w.settings.duration)
	defer cancel()
	var playing sync.WaitGroup
	for range customers {
		playing.Go(func() { w.shop(ctx) })
	}
	var disturbing sync.WaitGroup
	disturbing.Go(func() { w.disturbProcesses(ctx) })
	disturbing.Go(func() { w.disturbDatabase(ctx) })
	disturbing.Go(func() { w.disturbBucket(ctx) })
	disturbing.Wait()
	w.timeline.add("all is healed; %d orders so far", w.orders.count())
	playing.Wait()
	w.timeline.add("all customers have their answers")
	w.judge()
}

// begin starts all servers at once on an empty database, and keeps what they make in quiet.
func (w *world) begin() {
	for _, m := range w.members {
		m.start()
	}
	for _, m := range w.members {
		w.waitFor("the servers to listen", func() string {
			switch {
			case w.t.Failed():
				w.t.FailNow()
			case m.address() == "":
				return m.name + " does not"
			}
			return ""
		})
	}
	w.installAudit()
	w.accounts = make(map[string][]byte)
	for _, format := range []string{"json", "zip"} {
		o := &order{key: "quiet-" + format, customer: owner, query: "dataset=account&format=" + format, format: format, account: true}
		w.orders.add(o)
		w.place(o)
		w.waitFor("an account to be exported in quiet", func() string {
			if status := w.look(o).Status; status != "READY" {
				return status
			}
			return ""
		})
		content, err := w.download(w.members[0].address(), o)
		require.NoError(w.t, err)
		w.accounts[format] = untimed(w.t, format, content)
	}
}

// waitLimit is how long anything may take once nothing disturbs any more.
const waitLimit = 5 * time.Minute

// waitFor waits until a function says that nothing is missing.
func (w *world) waitFor(what string, missing func() string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), waitLimit)
	defer cancel()
	for {
		m := missing()
		if m == "" {
			return
		}
		if pause(ctx, 100*time.Millisecond) != nil {
			w.t.Fatalf("after %s there was still to wait for %s: %s", waitLimit, what, m)
		}
	}
}

// pause waits for a time, or returns the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
