package real

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func objectID(object string) string {
	sum := sha256.Sum256([]byte(object))
	return hex.EncodeToString(sum[:])
}

// pointer is what a repository has in place of an object (git-lfs specification, version 1).
func pointer(object string) string {
	return fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", objectID(object), len(object))
}

// batch serves one object by the batch API of git-lfs.
func batch(base, object string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/objects/batch") {
			w.Header().Set("Content-Type", "application/octet-stream")
			fmt.Fprint(w, object)
			return
		}
		w.Header().Set("Content-Type", "application/vnd.git-lfs+json")
		json.NewEncoder(w).Encode(map[string]any{"objects": []any{map[string]any{
			"oid": objectID(object), "size": len(object),
			"actions": map[string]any{"download": map[string]any{"href": base + "/app.git/info/lfs/objects/" + objectID(object)}},
		}}})
	})
}

// obtainedFirst puts the folder of obtained programs before the others.
func obtainedFirst(env []string) []string {
	for i, v := range env {
		if rest, ok := strings.CutPrefix(v, "PATH="); ok && os.Getenv(Variable) != "" {
			env[i] = "PATH=" + filepath.Join(os.Getenv(Variable), "bin") + string(os.PathListSeparator) + rest
		}
	}
	return env
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
