package dataexport_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/dataexport/dataexport"

// A library that is embedded brings what it requires into the host. Each requirement of the root has been thought about.
func TestTheRootModuleRequiresLittle(t *testing.T) {
	content, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	var direct []string
	for _, line := range regexp.MustCompile(`(?m)^(?:require )?\t?([a-z0-9./-]+) v\S+(.*)$`).FindAllStringSubmatch(string(content), -1) {
		if !strings.Contains(line[2], "// indirect") {
			direct = append(direct, line[1])
		}
	}
	assert.Equal(t, []string{
		"github.com/gocarina/gocsv", "github.com/google/uuid", "github.com/stretchr/testify", "github.com/yuin/goldmark", "go.uber.org/mock",
	}, direct)
	assert.NotContains(t, string(content), "replace")
}

// Imports point at the root: it imports no adapter, and adapters do not import each other. Only examples import all.
func TestImportsPointAtTheRoot(t *testing.T) {
	allowed := map[string][]string{
		".":                          {"internal/parameter", "internal/rfc3339"},
		"internal/jsontext":          {"internal/swar"},
		"internal/jsonschema":        {""},
		"internal/mocks":             {""},
		"internal/parameter":         {},
		"internal/rfc3339":           {},
		"internal/scalar":            {},
		"internal/swar":              {},
		"memory":                     {"", "internal/jsontext", "internal/rfc3339"},
		"render":                     {"", "internal/jsonschema", "internal/jsontext", "internal/scalar", "internal/swar"},
		"render/rendertest":          {""},
		"store/memstore":             {""},
		"store/memblob":              {""},
		"store/fileblob":             {""},
		"store/sqlitestore":          {""},
		"store/pgstore":              {""},
		"store/pgstore/pgrows":       {"", "internal/rfc3339", "internal/scalar"},
		"store/pgstore/postgrestest": {},
		"store/cloudblob":            {""},
		"store/cloudblob/s3test":     {},
		"store/cloudblob/s3storage":  {"", "store/cloudblob"},
		"store/compressblob":         {""},
		"queue/riverqueue":           {""},
		"otel":                       {""},
		"store/storetest":            {""},
		"store/blobtest":             {""},
		"archive":                    {"", "internal/jsonschema", "internal/jsontext", "render"},
		"archive/archivetest":        {"archive"},
		"archive/threengram":         {"", "archive"},
		"httpadapter":                {"", "internal/parameter", "internal/scalar"},
		"httpadapter/adaptertest":    {"", "httpadapter", "memory", "render", "store/memstore", "store/memblob"},
	}
	imports := make(map[string][]string)
	require.NoError(t, filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "examples" || entry.Name() == "bench" || strings.HasPrefix(entry.Name(), ".") && file != ".") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder := path.Dir(filepath.ToSlash(file))
		imports[folder] = append(imports[folder], "")
		for _, spec := range parsed.Imports {
			imports[folder] = append(imports[folder], strings.Trim(spec.Path.Value, `"`))
		}
		return nil
	}))
	for folder, list := range imports {
		permitted, known := allowed[folder]
		if !assert.True(t, known, "say here what %s may import", folder) {
			continue
		}
		for _, name := range list {
			if inside, ok := strings.CutPrefix(name, module); ok {
				assert.True(t, slices.Contains(permitted, strings.TrimPrefix(inside, "/")), "%s must not import %s", folder, name)
			}
		}
	}
	for _, suite := range []string{"render/rendertest", "store/storetest", "store/blobtest", "httpadapter/adaptertest", "archive/archivetest"} {
		for _, name := range imports[suite] {
			first, _, _ := strings.Cut(name, "/")
			assert.False(t, strings.Contains(first, ".") && !strings.HasPrefix(name, module), "%s is for everybody's tests and must not import %s", suite, name)
		}
	}
}
