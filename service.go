package dataexport

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// A Service takes orders for exports and hands out their files. Its methods are safe for concurrent use. Every one of
// them acts for a Scope and knows nothing outside of it: a job of somebody else is an ErrNotFound. A store that does not
// answer is an ErrUnavailable.
type Service struct {
	config   Config
	store    Store
	runner   *Runner
	running  atomic.Bool // Run is under way
	stopping atomic.Bool // Run was told to stop
}

// New makes a Service. It returns an ErrInvalid that says what is wrong with the configuration. Call Run to have the
// jobs done.
func New(c Config) (*Service, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	store := &timedStore{store: c.Store, timeout: c.StoreTimeout}
	s := &Service{config: c, store: store}
	s.runner = &Runner{config: c, store: store, working: make(map[string]*context.CancelCauseFunc)}
	return s, nil
}

// Runner returns what executes the jobs of the service, for an engine that drives it in place of Run.
func (s *Service) Runner() *Runner { return s.runner }

// Datasets describes the datasets, the default one first.
func (s *Service) Datasets() []Info {
	infos := make([]Info, len(s.config.Datasets))
	for i, d := range s.config.Datasets {
		infos[i] = d.Info()
	}
	return infos
}

// Formats describes the formats, the default one first.
func (s *Service) Formats() []Format {
	formats := make([]Format, len(s.config.Renderers))
	for i, r := range s.config.Renderers {
		formats[i] = r.Format()
	}
	return formats
}

// A CreateRequest orders an export.
type CreateRequest struct {
	Scope          Scope
	Dataset        string // empty for the default
	Format         string // empty for the default
	Filter         Filter
	IdempotencyKey string // empty for none; else 1 to 255 visible ASCII characters
}

// Create makes a PENDING job, or returns the job that was made earlier with the same idempotency key, with replayed true.
// Filter and cut-off are frozen now: records that are created later are not in the export. It returns a *ValidationError
// for a request that makes no sense, ErrTooManyExports if the workspace has its fill, ErrIdempotencyKeyReused if the key
// came before with other parameters, and ErrUnavailable while the service stops.
func (s *Service) Create(ctx context.Context, r CreateRequest) (job Job, replayed bool, err error) {
	if s.stopping.Load() {
		return Job{}, false, fmt.Errorf("%w: the service is stopping", ErrUnavailable)
	}
	if err := r.Scope.validate(); err != nil {
		return Job{}, false, err
	}
	dataset, renderer, err := s.check(&r)
	if err != nil {
		return Job{}, false, err
	}
	r.Filter = r.Filter.canonical()
	id, err := uuid.NewV7()
	if err != nil {
		return Job{}, false, fmt.Errorf("dataexport: making a job id: %w", err)
	}
	n := NewJob{
		ID:             id.String(),
		Scope:          r.Scope,
		Dataset:        dataset.Name,
		Format:         renderer.Format().Name,
		Personal:       dataset.Personal,
		Filter:         r.Filter,
		IdempotencyKey: r.IdempotencyKey,
		MaxActive:      s.config.Limits.ActiveJobs,
		MaxReady:       s.config.Limits.ReadyFiles,
	}
	if n.Fingerprint, err = fingerprint(n.Dataset, n.Format, n.Filter); err != nil {
		return Job{}, false, err
	}
	job, replayed, err = s.store.Create(ctx, n)
	if err == nil && !replayed {
		s.config.tell(ctx, Event{Kind: EventCreated, Job: job})
	}
	return job, replayed, err
}

// Validate returns the *ValidationError that Create would return for a request, or nil. It looks at no job.
func (s *Service) Validate(r CreateRequest) error {
	_, _, err := s.check(&r)
	return err
}

// check finds dataset and renderer of a request and reports all its faults at once.
func (s *Service) check(r *CreateRequest) (Info, Renderer, error) {
	var faults ValidationError
	dataset, datasetFound := s.config.dataset(r.Dataset)
	if !datasetFound {
		faults.Add("dataset", "dataset must be one of: %s", s.config.datasetNames())
	}
	renderer, rendererFound := s.config.renderer(r.Format)
	if !rendererFound {
		faults.Add("format", "format must be one of: %s", s.config.formatNames())
	}
	if problem := idempotencyKeyProblem(r.IdempotencyKey); problem != "" {
		faults.Add("Idempotency-Key", "%s", problem)
	}
	if !datasetFound {
		if err := faults.Merge(r.Filter.Validate()); err != nil {
			return Info{}, nil, err
		}
		return Info{}, nil, faults.Err()
	}
	info := dataset.Info()
	if err := faults.Merge(info.checkFilter(&r.Filter)); err != nil {
		return Info{}, nil, err
	}
	if info.Personal && r.Scope.Subject == "" {
		faults.Add("dataset", "the dataset %s belongs to one person, and the request does not say whose it is", info.Name)
	}
	if rendererFound {
		if err := renderer.Check(info); err != nil {
			faults.Add("format", "%s", err)
		}
	}
	return info, renderer, faults.Err()
}

func idempotencyKeyProblem(key string) string {
	if len(key) > 255 {
		return "the key is longer than 255 characters"
	}
	if strings.IndexFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return "the key must be of visible ASCII characters"
	}
	return ""
}

// fingerprint is equal for two requests if and only if they ask for the same export.
func fingerprint(dataset, format string, f Filter) (string, error) {
	f.Categories = slices.Clone(f.Categories)
	slices.Sort(f.Categories) // their order does not matter
	canonical, err := json.Marshal(struct {
		Dataset, Format string
		Filter          Filter
	}{dataset, format, f})
	if err != nil {
		return "", fmt.Errorf("dataexport: the filter: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:]), nil
}

// Get returns a job.
func (s *Service) Get(ctx context.Context, scope Scope, id string) (Job, error) {
	if err := scope.validate(); err != nil {
		return Job{}, err
	}
	return s.store.Get(ctx, scope, id)
}

// List returns a page of jobs, newest first, and how many there are in all.
func (s *Service) List(ctx context.Context, scope Scope, q ListQuery) (page []Job, total int, err error) {
	if err := scope.validate(); err != nil {
		return nil, 0, err
	}
	if q.Limit < 1 || q.Offset < 0 {
		return nil, 0, fmt.Errorf("%w: a list needs a Limit of at least 1 and an Offset of at least 0", ErrInvalid)
	}
	return s.store.List(ctx, scope, q)
}

// Delete cancels a job that is not done and removes a job and its file in any state. A worker of this process stops at
// once, one of another process within seconds.
func (s *Service) Delete(ctx context.Context, scope Scope, id string) error {
	if err := scope.validate(); err != nil {
		return err
	}
	job, err := s.store.Delete(ctx, scope, id)
	if err != nil {
		return err
	}
	s.config.tell(ctx, Event{Kind: EventDeleted, Job: job}) // before the attempt that it ends tells that it was lost
	s.runner.deleted(job.ID)
	s.runner.removeFiles(context.WithoutCancel(ctx), job, "")
	return nil
}

// A File is an open file of a READY job, for reading. Close it after use.
type File struct {
	Blob
	Job    Job
	Format Format
}

// Open opens the file of a READY job. It returns ErrNotReady, ErrFailed or ErrExpired for a job in another state.
func (s *Service) Open(ctx context.Context, scope Scope, id string) (*File, error) {
	job, err := s.ready(ctx, scope, id)
	if err != nil {
		return nil, err
	}
	blob, err := s.config.Blobs.Open(ctx, job.BlobKey)
	if errors.Is(err, ErrNotFound) {
		return nil, s.explainMissing(ctx, scope, job)
	}
	if err != nil {
		return nil, fmt.Errorf("dataexport: opening the file of job %s: %w", job.ID, err)
	}
	return &File{Blob: blob, Job: job, Format: s.config.formatOf(&job)}, nil
}

// SignURL returns a URL under which whoever has it can GET the file of a READY job from the storage itself. It asks the
// function what the URL is to answer, and for how long; the URL never lives longer than the export. The errors are those
// of Open, and errors.ErrUnsupported where the storage cannot sign or the export is about to expire. The URL is as secret as the file. It is not looked
// whether the file is there.
func (s *Service) SignURL(ctx context.Context, scope Scope, id string, options func(Job, Format) SignedURLOptions) (string, error) {
	signer, ok := s.config.Blobs.(URLSigner)
	if !ok {
		return "", fmt.Errorf("dataexport: Config.Blobs cannot sign URLs: %w", errors.ErrUnsupported)
	}
	job, err := s.ready(ctx, scope, id)
	if err != nil {
		return "", err
	}
	o := options(job, s.config.formatOf(&job))
	// By the clock of this process: it is the one that goes into the signature.
	o.Expiry = min(o.Expiry, time.Until(job.ExpiresAt).Truncate(time.Second))
	if o.Expiry <= 0 {
		return "", fmt.Errorf("dataexport: the export expires within a second, too soon for a signed URL: %w", errors.ErrUnsupported)
	}
	url, err := signer.SignURL(ctx, job.BlobKey, o)
	if err != nil {
		return "", fmt.Errorf("dataexport: signing a URL for the file of job %s: %w", job.ID, err)
	}
	return url, nil
}

// ready returns a job whose file can be downloaded.
func (s *Service) ready(ctx context.Context, scope Scope, id string) (Job, error) {
	job, err := s.Get(ctx, scope, id)
	if err != nil {
		return Job{}, err
	}
	switch job.Status {
	case StatusReady:
		return job, nil
	case StatusFailed:
		return Job{}, ErrFailed
	case StatusExpired:
		return Job{}, ErrExpired
	}
	return Job{}, ErrNotReady
}

// Stats counts the jobs of all workspaces, for an operator. It returns errors.ErrUnsupported if the store is no
// StatsReader.
func (s *Service) Stats(ctx context.Context) (Stats, error) {
	reader, ok := s.config.Store.(StatsReader)
	if !ok {
		return Stats{}, fmt.Errorf("dataexport: Config.Store cannot count its jobs: %w", errors.ErrUnsupported)
	}
	return reader.Stats(ctx)
}

// explainMissing returns the error for a file that is not there although its job was READY when we looked: the job was
// deleted or expired since, or else the file was lost.
func (s *Service) explainMissing(ctx context.Context, scope Scope, job Job) error {
	now, err := s.Get(ctx, scope, job.ID)
	switch {
	case err != nil:
		return err
	case now.Status == StatusExpired:
		return ErrExpired
	}
	// Not wrapped: to the caller a lost file is no missing job.
	return fmt.Errorf("dataexport: the file %s of the READY job %s is missing", job.BlobKey, job.ID)
}

func (s Scope) validate() error {
	if s.WorkspaceID == "" {
		return fmt.Errorf("%w: the scope has no workspace", ErrInvalid)
	}
	return nil
}

// formatOf returns the format of a job, or what little can be said of one that is no longer offered.
func (c *Config) formatOf(j *Job) Format {
	if r, ok := c.renderer(j.Format); ok {
		return r.Format()
	}
	return Format{Name: j.Format, MediaType: "application/octet-stream", Extension: "bin"}
}

// dataset returns the dataset of that name, the default one for an empty name.
func (c *Config) dataset(name string) (Dataset, bool) {
	if name == "" {
		return c.Datasets[0], true
	}
	for _, d := range c.Datasets {
		if d.Info().Name == name {
			return d, true
		}
	}
	return nil, false
}

// renderer returns the renderer of that format, the default one for an empty name.
func (c *Config) renderer(format string) (Renderer, bool) {
	if format == "" {
		return c.Renderers[0], true
	}
	for _, r := range c.Renderers {
		if r.Format().Name == format {
			return r, true
		}
	}
	return nil, false
}

func (c *Config) datasetNames() string {
	var names []string
	for _, d := range c.Datasets {
		names = append(names, d.Info().Name)
	}
	return strings.Join(names, ", ")
}

func (c *Config) formatNames() string {
	var names []string
	for _, r := range c.Renderers {
		names = append(names, r.Format().Name)
	}
	return strings.Join(names, ", ")
}
