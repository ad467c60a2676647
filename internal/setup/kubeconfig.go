package setup

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// kubeFormat is a kubeconfig: one entry of users, with an exec plugin. Clusters and contexts stay: which context uses the entry
// is the user's to say.
func kubeFormat() format {
	return format{add: addKube, remove: removeKube, show: func(w Want) []string { return kubeUser(w, "") }}
}

// kubeVersion is the version that every kubectl from 1.22 on takes.
const kubeVersion = "client.authentication.k8s.io/v1"

func kubeUser(w Want, indent string) []string {
	lines := []string{
		"- name: " + yamlWord(w.Name), "  user:", "    exec:", "      apiVersion: " + kubeVersion,
		"      command: " + yamlWord(w.Program), "      args: [kubernetes, --profile, " + yamlWord(w.Profile) + "]", "      interactiveMode: IfAvailable",
	}
	if w.Key == ClusterInfo {
		lines = append(lines, "      "+ClusterInfo+": true")
	}
	for i := range lines {
		lines[i] = indent + lines[i]
	}
	return lines
}

// ClusterInfo as Want.Key has kubectl say which cluster it asks for.
const ClusterInfo = "provideClusterInfo"

// yamlWord is a text that cannot be taken for anything else.
func yamlWord(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// kubeconfig is the file as far as it is edited.
type kubeconfig struct {
	lines []textLine
	key   *yaml.Node // "users", or nil
	users *yaml.Node
	meant map[string]any
}

func parseKube(data []byte) (k kubeconfig, bad *refusal) {
	refuse := func(why string) (kubeconfig, *refusal) { return kubeconfig{}, &refusal{problem: why} }
	if strings.ContainsAny(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r\u0085\u2028\u2029") {
		return refuse("it has line breaks that only YAML knows")
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var root, more yaml.Node
	switch err := d.Decode(&root); {
	case errors.Is(err, io.EOF):
		return k, nil
	case err != nil:
		return refuse("it is no YAML")
	case !errors.Is(d.Decode(&more), io.EOF):
		return refuse("it has several documents")
	}
	if root.Decode(&k.meant) != nil || len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return refuse("it is no kubeconfig")
	}
	k.lines = textLines(data)
	top := root.Content[0]
	if top.Style&yaml.FlowStyle != 0 || bytes.ContainsRune(data, '\t') && bytes.Contains(data, []byte("\n\t")) {
		return refuse("it is not written as kubectl writes it, one item a line")
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		if top.Content[i].Value == "users" {
			k.key, k.users = top.Content[i], top.Content[i+1]
		}
	}
	return k, nil
}

// item is where a user's entry stands.
type item struct {
	first, end int // lines, from 0; end is behind the last one
	indent     string
}

// find gives the entry of a name; ours says whether it runs this program.
func (k kubeconfig) find(name string) (at *item, ours bool, bad *refusal) {
	if k.users == nil || k.users.Kind != yaml.SequenceNode {
		return nil, false, nil
	}
	for _, u := range k.users.Content {
		var entry struct {
			Name string
			User struct {
				Exec struct {
					Command string
					Args    []string
				}
			}
		}
		if u.Decode(&entry) != nil || entry.Name != name {
			continue
		}
		if at != nil {
			return nil, false, &refusal{problem: "the user " + name + " stands in it twice", line: u.Line}
		}
		i, ok := k.itemAt(u)
		if !ok {
			return nil, false, &refusal{problem: "users is not written as kubectl writes it, one item a line", line: u.Line}
		}
		at, ours = &i, strings.Contains(entry.User.Exec.Command, "cognito-credhelper") && len(entry.User.Exec.Args) > 0 && entry.User.Exec.Args[0] == "kubernetes"
	}
	return at, ours, nil
}

// itemAt finds the lines of a block item. What belongs to it is indented deeper than its dash.
func (k kubeconfig) itemAt(u *yaml.Node) (item, bool) {
	i := item{first: u.Line - 1}
	if i.first >= len(k.lines) {
		return i, false
	}
	text := k.lines[i.first].text
	i.indent = text[:len(text)-len(strings.TrimLeft(text, " "))]
	if !strings.HasPrefix(text[len(i.indent):], "- ") || k.users.Style&yaml.FlowStyle != 0 {
		return i, false
	}
	i.end = i.first + 1
	for n := i.end; n < len(k.lines); n++ {
		line := k.lines[n].text
		if strings.TrimSpace(line) == "" {
			continue
		}
		if len(line)-len(strings.TrimLeft(line, " ")) <= len(i.indent) {
			break
		}
		i.end = n + 1
	}
	return i, true
}

func addKube(data []byte, w Want) ([]byte, *refusal) {
	if !printable(w.Name + w.Program + w.Profile) {
		return nil, &refusal{problem: "a name has a control character"}
	}
	k, bad := parseKube(data)
	if bad != nil {
		return nil, bad
	}
	at, ours, bad := k.find(w.Name)
	if bad != nil {
		return nil, bad
	}
	var out []byte
	switch {
	case k.meant == nil:
		out = insertLines(data, len(data), append([]string{"apiVersion: v1", "kind: Config", "users:"}, kubeUser(w, "")...)...)
	case at != nil && !ours && !w.Force:
		return nil, &refusal{problem: "the user " + w.Name + " gets its credential from elsewhere already", line: at.first + 1, foreign: true}
	case at != nil:
		text := strings.Join(kubeUser(w, at.indent), lineEnding(data)) + lineEnding(data)
		out = splice(data, k.lines[at.first].start, k.lines[at.end-1].end, text)
		if strings.TrimRight(text, "\r\n") == strings.TrimRight(string(data[k.lines[at.first].start:k.lines[at.end-1].end]), "\r\n") {
			return data, nil
		}
	default:
		if out, bad = k.insert(data, w); bad != nil {
			return nil, bad
		}
	}
	return out, checkKube(data, out, w.Name, true)
}

// insert puts the entry before the first one.
func (k kubeconfig) insert(data []byte, w Want) ([]byte, *refusal) {
	if k.key == nil {
		return insertLines(data, len(data), append([]string{"users:"}, kubeUser(w, "")...)...), nil
	}
	line := k.lines[k.key.Line-1]
	switch strings.TrimRight(line.text, " ") {
	case "users: []", "users: null", "users:":
		if k.users.Kind == yaml.ScalarNode || len(k.users.Content) == 0 {
			text := strings.Join(append([]string{"users:"}, kubeUser(w, "")...), lineEnding(data)) + lineEnding(data)
			return splice(data, line.start, line.end, text), nil
		}
		if i, ok := k.itemAt(k.users.Content[0]); ok {
			return insertLines(data, k.lines[i.first].start, kubeUser(w, i.indent)...), nil
		}
	}
	return nil, &refusal{problem: "users is not written as kubectl writes it, one item a line", line: k.key.Line}
}

// checkKube reads back: all but the one user means what it did.
func checkKube(before, after []byte, name string, has bool) *refusal {
	read := func(data []byte) (map[string]any, int, bool) {
		var all map[string]any
		if yaml.Unmarshal(data, &all) != nil {
			return nil, 0, false
		}
		list, _ := all["users"].([]any)
		var others []any
		n := 0
		for _, u := range list {
			if m, ok := u.(map[string]any); ok && m["name"] == name {
				n++
				continue
			}
			others = append(others, u)
		}
		delete(all, "users")
		if len(others) > 0 {
			all["users"] = others
		}
		if len(before) == 0 || len(bytes.TrimSpace(before)) == 0 {
			delete(all, "apiVersion")
			delete(all, "kind")
		}
		if len(all) == 0 {
			all = nil
		}
		return all, n, true
	}
	old, _, okOld := read(before)
	now, n, ok := read(after)
	if !okOld || !ok || has != (n == 1) || n > 1 || len(old)+len(now) > 0 && !reflect.DeepEqual(old, now) {
		return &refusal{problem: "the change would alter what other lines of the file mean"}
	}
	return nil
}

func removeKube(data []byte, w Want) ([]byte, *refusal) {
	k, bad := parseKube(data)
	if bad != nil {
		return nil, bad
	}
	at, ours, bad := k.find(w.Name)
	if bad != nil || at == nil || !ours {
		return data, bad
	}
	out := splice(data, k.lines[at.first].start, k.lines[at.end-1].end, "")
	if len(k.users.Content) == 1 {
		line := k.lines[k.key.Line-1]
		out = splice(out, line.start, line.end, "users: []"+lineEnding(data))
	}
	return out, checkKube(data, out, w.Name, false)
}

// KubeUser is the name of the kubeconfig's user for a profile.
func KubeUser(profile string) string { return "cognito-" + profile }
