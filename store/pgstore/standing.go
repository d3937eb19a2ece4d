package pgstore

import (
	"cmp"
	"strings"
)

// A standing is what a workspace is measured by against others.
type standing struct {
	*rival
	record
	letGo    int // jobs in hand
	promised int // jobs that will be
}

// before returns the workspace that goes before that of a job, or nil, and whether that is certain: one of which it is not known
// what it has waiting may be that one.
func (t *turns) before(id string, owner *rival) (first *rival, certain bool) {
	standings := make(map[string]*standing, len(t.rivals))
	for workspace, r := range t.rivals {
		standings[workspace] = &standing{rival: r, record: t.had[workspace]}
	}
	for job, h := range t.inHand {
		switch s := standings[h.workspace]; {
		case s == nil || job == id || h.over():
		case h.promised:
			s.promised++
			s.turns++ // as good as had
		default:
			s.letGo++
		}
	}
	own := standings[owner.workspace]
	var best *standing
	certain = true
	for _, s := range standings {
		switch {
		case s == own || !own.givesWay(s):
		case len(s.waiting) == 0: // and there may be more
			certain = false
		case best == nil || s.compare(best) < 0:
			best = s
		}
	}
	if best == nil {
		return nil, certain
	}
	return best.rival, certain
}

// givesWay reports whether a workspace that asks for a job goes after another that has, or may have, some waiting. It does if
// it has had at least two turns more and the other has waited since before the latest of them. Were one turn enough, it would give way also
// to those that are about to have theirs. But who has clearly more jobs in work goes last, since
// jobs that take long are worth several turns.
func (a *standing) givesWay(other *standing) bool {
	const clearly = 2
	switch {
	case !other.wants():
		return false
	case a.held+a.letGo >= other.held+other.letGo+other.promised+clearly:
		return true
	case other.held >= a.held+a.letGo+clearly:
		return false
	}
	latest := a.latest
	if a.servedAt.After(latest) {
		latest = a.servedAt
	}
	return a.turns >= other.turns+clearly && (len(other.waiting) == 0 || other.waiting[0].since.Before(latest))
}

// compare orders workspaces that have jobs waiting by who goes before whom.
func (a *standing) compare(b *standing) int {
	return cmp.Or(
		cmp.Compare(a.turns, b.turns), cmp.Compare(a.held+a.letGo+a.promised, b.held+b.letGo+b.promised),
		a.waiting[0].since.Compare(b.waiting[0].since), strings.Compare(a.workspace, b.workspace))
}
