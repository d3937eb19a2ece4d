//go:build linux

package chaos

import (
	"context"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/dataexport/dataexport/store/pgstore/postgrestest"
)

// between returns a duration in a range.
func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}

// disturb does one thing after the other until ctx is done, with pauses in which there is time for work.
func (w *world) disturb(ctx context.Context, purpose string, do func(*rand.Rand)) {
	random := w.random(purpose)
	most := 3 * time.Second
	if w.settings.long() {
		most = 7 * time.Second
	}
	for pause(ctx, between(random, 300*time.Millisecond, most)) == nil {
		do(random)
	}
}

// disturbProcesses kills, pauses and stops servers. In the end all of them run.
func (w *world) disturbProcesses(ctx context.Context) {
	w.disturb(ctx, "processes", func(random *rand.Rand) {
		m := w.members[random.IntN(len(w.members))]
		down := between(random, 0, 1500*time.Millisecond)
		switch choice := random.IntN(10); {
		case choice < 4:
			m.kill()
			_ = pause(ctx, down)
		case choice < 7:
			w.stall(ctx, m, lease+between(random, lease/4, lease))
			if choice == 6 {
				m.kill()
			}
		case choice < 9:
			if err := m.terminate(); err != nil {
				w.terminated(m, err)
			}
			_ = pause(ctx, down)
		default:
			for _, m := range w.members {
				m.kill()
			}
			_ = pause(ctx, down)
		}
		for _, m := range w.members {
			m.revive()
		}
	})
}

// stall pauses a server for longer than its leases last.
func (w *world) stall(ctx context.Context, m *member, d time.Duration) {
	w.timeline.add("%s is paused for %s", m.name, d)
	m.signal(syscall.SIGSTOP)
	_ = pause(ctx, d)
	m.signal(syscall.SIGCONT)
	w.timeline.add("%s goes on", m.name)
}

// terminated judges how a server has ended that was told to stop in the chaos.
func (w *world) terminated(m *member, err error) {
	w.t.Errorf("%s was told to stop: %v", m.name, err)
}

// disturbDatabase restarts PostgreSQL and disturbs the network before it.
func (w *world) disturbDatabase(ctx context.Context) {
	w.disturb(ctx, "database", func(random *rand.Rand) {
		d := between(random, 300*time.Millisecond, 3*time.Second)
		switch choice := random.IntN(12); {
		case choice < 3:
			how := []postgrestest.Shutdown{postgrestest.Fast, postgrestest.Immediate}[random.IntN(2)]
			w.timeline.add("PostgreSQL is restarted (%d)", how)
			if err := w.postgres.Restart(how); err != nil {
				w.t.Error(err)
			}
		case choice < 5:
			w.timeline.add("connections to PostgreSQL are cut")
			w.database.cut()
		case choice < 7:
			w.timeline.add("connections to PostgreSQL are cut, and refused for %s", d)
			w.database.refuse(true)
			w.database.cut()
			_ = pause(ctx, d)
		case choice < 9:
			if w.settings.long() && random.IntN(4) == 0 {
				d = between(random, 10*time.Second, 13*time.Second) // a call of the store may take 10
			}
			w.silence(ctx, random, d)
		case choice < 11:
			d = lease + between(random, lease/4, lease)
			w.timeline.add("some requests to PostgreSQL come late, after %s", d)
			w.database.delaySome(random)
			_ = pause(ctx, d)
		default:
			w.timeline.add("answers of PostgreSQL are lost")
			w.database.answers.shut()
			_ = pause(ctx, between(random, 50*time.Millisecond, 500*time.Millisecond))
			w.database.cut()
		}
		w.database.heal()
		w.timeline.add("PostgreSQL can be reached")
	})
}

// silence holds back what goes to PostgreSQL, or what comes from it, or both. Afterwards it comes late, or not at all.
func (w *world) silence(ctx context.Context, random *rand.Rand, d time.Duration) {
	requests, answers, cut := random.IntN(3) > 0, random.IntN(3) > 0, random.IntN(2) > 0
	w.timeline.add("PostgreSQL is silent for %s; requests %t, answers %t, cut at the end %t", d, requests, answers, cut)
	if requests {
		w.database.requests.shut()
	}
	if answers || !requests {
		w.database.answers.shut()
	}
	_ = pause(ctx, d)
	if cut {
		w.database.cut()
	}
}

// disturbBucket has the bucket fail in all ways.
func (w *world) disturbBucket(ctx context.Context) {
	w.disturb(ctx, "faults of the bucket", func(random *rand.Rand) {
		fault := bucketFaults()[random.IntN(len(bucketFaults()))]
		d := between(random, 200*time.Millisecond, 3*time.Second)
		w.timeline.add("the bucket %s for %s", fault, d)
		w.bucket.set(fault)
		_ = pause(ctx, d)
		w.bucket.set(bucketHealthy)
		w.timeline.add("the bucket is well")
	})
}
