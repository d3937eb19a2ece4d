package storetest

import (
	"math/rand/v2"
	"slices"

	"github.com/dataexport/dataexport"
)

// A model says in the plainest way which job Claim must give out.
type model struct {
	random *rand.Rand
	jobs   []modelJob
	served map[string]int // how many claims there had been when a workspace was last given a job, this one included
	claims int
}

type modelJob struct {
	dataexport.Job
	claimable bool
}

func newModel() *model {
	return &model{random: rand.New(rand.NewPCG(1, 2)), served: make(map[string]int)}
}

// next returns the job that is to be given out.
func (m *model) next() (best dataexport.Job, found bool) {
	var waiting []dataexport.Job
	held := make(map[string]int)
	for _, j := range m.jobs {
		if j.claimable {
			waiting = append(waiting, j.Job)
		} else if j.Status == dataexport.StatusProcessing {
			held[j.Scope.WorkspaceID]++
		}
	}
	oldestFirst(waiting)
	for _, j := range waiting {
		mine, its := j.Scope.WorkspaceID, best.Scope.WorkspaceID
		if !found || held[mine] < held[its] || held[mine] == held[its] && m.served[mine] < m.served[its] {
			best, found = j, true
		}
	}
	return best, found
}

// held returns the jobs that a worker holds, in an order that does not depend on chance.
func (m *model) held() (jobs []dataexport.Job) {
	for _, j := range m.jobs {
		if !j.claimable && j.Status == dataexport.StatusProcessing {
			jobs = append(jobs, j.Job)
		}
	}
	return jobs
}

func (m *model) add(j dataexport.Job) { m.jobs = append(m.jobs, modelJob{j, true}) }

func (m *model) give(j dataexport.Job) {
	m.claims++
	m.served[j.Scope.WorkspaceID] = m.claims
	m.set(j, false)
}

func (m *model) release(j dataexport.Job) { m.set(j, true) }

func (m *model) delay(j dataexport.Job) { m.set(j, false) }

func (m *model) set(j dataexport.Job, claimable bool) { m.jobs[m.index(j)] = modelJob{j, claimable} }

func (m *model) remove(j dataexport.Job) {
	i := m.index(j)
	m.jobs = slices.Delete(m.jobs, i, i+1)
}

func (m *model) index(j dataexport.Job) int {
	return slices.IndexFunc(m.jobs, func(other modelJob) bool { return other.ID == j.ID })
}
