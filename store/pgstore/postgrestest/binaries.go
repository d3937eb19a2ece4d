package postgrestest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// findBinaries returns the folder in which PostgreSQL's initdb and postgres are.
func findBinaries() (folder string, err error) {
	if !canStart {
		return "", explainMissing("this package starts servers on Linux alone")
	}
	for _, folder := range candidates() {
		if hasFile(folder, "initdb") && hasFile(folder, "postgres") {
			return folder, nil
		}
	}
	return "", explainMissing("initdb and postgres were not found")
}

func hasFile(folder, name string) bool {
	info, err := os.Stat(filepath.Join(folder, name))
	return err == nil && !info.IsDir()
}

// candidates returns folders in which the binaries may be, the best first.
func candidates() (folders []string) {
	if path, err := exec.LookPath("postgres"); err == nil {
		if resolved, err := filepath.EvalSymlinks(path); err == nil {
			folders = append(folders, filepath.Dir(resolved))
		}
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(out)))
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*"} {
		found, _ := filepath.Glob(pattern) // it fails for a bad pattern alone
		slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
		folders = append(folders, found...)
	}
	return folders
}

// version returns the number in a path such as /usr/lib/postgresql/15/bin.
func version(path string) int {
	digits := strings.FieldsFunc(path, func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	number, _ := strconv.Atoi(digits[0]) // what is too large is not a version
	return number
}
