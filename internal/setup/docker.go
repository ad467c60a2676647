package setup

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// dockerFormat is docker's config.json: one entry of credHelpers, which is for one registry by its exact name and leaves
// credsStore and everybody else's entries alone.
func dockerFormat() format {
	return format{add: addDocker, remove: removeDocker, show: func(w Want) []string {
		return []string{"credHelpers: " + strconv.Quote(w.Host.Authority()) + ": " + strconv.Quote(dockerHelper)}
	}}
}

// dockerHelper is the part of the name docker-credential-cognito that config.json has.
const dockerHelper = "cognito"

const credHelpers = "credHelpers"

func oursInDocker(v string) bool { return v == dockerHelper || strings.HasPrefix(v, dockerHelper+"-") }

// dockerConfig is the file, and its credHelpers where it has some.
type dockerConfig struct {
	root, helpers object
	has           bool
}

func parseDocker(data []byte) (c dockerConfig, bad *refusal) {
	var meant map[string]any
	if err := json.Unmarshal(data, &meant); err != nil || meant == nil {
		return c, &refusal{problem: "it is no JSON object, as docker wants it"}
	}
	var ok bool
	if c.root, ok = parseObject(data, 0); !ok {
		return c, &refusal{problem: "it is no JSON object, as docker wants it"}
	}
	m, times := c.root.find(credHelpers)
	if times > 1 {
		return c, &refusal{problem: "credHelpers stands in it twice", line: lineNumber(data, m.start)}
	}
	if times == 1 {
		if c.helpers, c.has = parseObject(data, m.valueStart); !c.has {
			return c, &refusal{problem: "credHelpers is no object", line: lineNumber(data, m.start)}
		}
	}
	return c, nil
}

func addDocker(data []byte, w Want) ([]byte, *refusal) {
	if len(strings.TrimSpace(string(data))) == 0 {
		return []byte("{\n\t" + strconv.Quote(credHelpers) + ": {\n\t\t" + strconv.Quote(w.Host.Authority()) + ": " + strconv.Quote(dockerHelper) + "\n\t}\n}\n"), nil
	}
	c, bad := parseDocker(data)
	if bad != nil {
		return nil, bad
	}
	m, times := c.helpers.find(w.Host.Authority())
	var theirs string
	if times > 0 {
		_ = json.Unmarshal(data[m.valueStart:m.valueEnd], &theirs) // what is no text is somebody else's
	}
	var out []byte
	switch {
	case times > 1:
		return nil, &refusal{problem: w.Host.Authority() + " stands in credHelpers twice", line: lineNumber(data, m.start)}
	case times == 1 && oursInDocker(theirs):
		return data, nil
	case times == 1 && !w.Force:
		return nil, &refusal{problem: "docker asks another helper for " + w.Host.Authority() + " already", line: lineNumber(data, m.start), foreign: true}
	case times == 1:
		out = splice(data, m.valueStart, m.valueEnd, strconv.Quote(dockerHelper))
	default:
		out = c.insert(data, w.Host.Authority())
	}
	return out, checkDocker(data, out, w.Host.Authority(), dockerHelper)
}

func (c dockerConfig) insert(data []byte, host string) []byte {
	space, closing := c.root.spaceBefore(data)
	deeper := space
	if space != "" {
		unit := strings.TrimPrefix(space[strings.LastIndexByte(space, '\n')+1:], closing[strings.LastIndexByte(closing, '\n')+1:])
		deeper = space + unit
	}
	if len(c.root.members) == 0 {
		space, deeper, closing = "\n\t", "\n\t\t", "\n"
	}
	if !c.has {
		value := "{" + deeper + strconv.Quote(host) + ":" + blank(deeper) + strconv.Quote(dockerHelper) + space + "}"
		return insertMember(data, c.root, credHelpers, value, space, closing)
	}
	inner, innerClosing := c.helpers.spaceBefore(data)
	if len(c.helpers.members) == 0 {
		inner, innerClosing = deeper, space
	}
	return insertMember(data, c.helpers, host, strconv.Quote(dockerHelper), inner, innerClosing)
}

func blank(space string) string {
	if space == "" {
		return ""
	}
	return " "
}

// checkDocker reads back: host has the helper, or none where that is "", and all else means what it did.
func checkDocker(before, after []byte, host, helper string) *refusal {
	read := func(data []byte) (map[string]any, any) {
		var all map[string]any
		if json.Unmarshal(data, &all) != nil {
			return nil, nil
		}
		helpers, _ := all[credHelpers].(map[string]any)
		was := helpers[host]
		delete(helpers, host)
		if len(helpers) == 0 {
			delete(all, credHelpers)
		}
		return all, was
	}
	old, _ := read(before)
	now, got := read(after)
	if now == nil || !reflect.DeepEqual(old, now) || helper == "" && got != nil || helper != "" && got != helper {
		return &refusal{problem: "the change would alter what other lines of the file mean"}
	}
	return nil
}

func removeDocker(data []byte, w Want) ([]byte, *refusal) {
	if len(strings.TrimSpace(string(data))) == 0 {
		return data, nil
	}
	c, bad := parseDocker(data)
	if bad != nil {
		return nil, bad
	}
	host := w.Host.Authority()
	i := slices.IndexFunc(c.helpers.members, func(m member) bool {
		var v string
		return m.key == host && json.Unmarshal(data[m.valueStart:m.valueEnd], &v) == nil && oursInDocker(v)
	})
	if i < 0 {
		return data, nil
	}
	out := removeMember(data, c.helpers, i)
	if len(c.helpers.members) == 1 {
		out = removeMember(data, c.root, slices.IndexFunc(c.root.members, func(m member) bool { return m.key == credHelpers }))
	}
	return out, checkDocker(data, out, host, "")
}
