package setup

import (
	"slices"
	"strings"
)

// goFormat is the go command's file of settings, which "go env -w" writes: lines KEY=VALUE, of which the last counts. GOAUTH is a
// list of commands (go help goauth); ours goes to its end, so that all others are asked as before.
func goFormat() format {
	return format{add: addGo, remove: removeGo, show: func(w Want) []string {
		command, _ := goCommand(w.Program)
		return []string{"GOAUTH, at its end: " + command}
	}}
}

// goCommand quotes as the go command unquotes: a quote of either kind around a word, and no escapes.
func goCommand(program string) (string, bool) {
	switch {
	case strings.ContainsAny(program, ";\r\n") || strings.Contains(program, `"`) && strings.Contains(program, "'"):
		return "", false
	case strings.Contains(program, `"`):
		program = "'" + program + "'"
	case strings.ContainsAny(program, " \t'"):
		program = `"` + program + `"`
	}
	return program + " goauth", true
}

func oursInGo(command string) bool {
	return strings.Contains(command, "cognito-credhelper") && strings.HasSuffix(strings.TrimSpace(command), " goauth")
}

// goAuth is the line that counts, and its commands; without one the go command takes netrc.
func goAuth(data []byte) (line *textLine, commands []string) {
	for _, l := range textLines(data) {
		if strings.HasPrefix(l.text, "GOAUTH=") {
			line = &l
		}
	}
	if line == nil {
		return nil, []string{"netrc"}
	}
	for command := range strings.SplitSeq(strings.TrimPrefix(line.text, "GOAUTH="), ";") {
		if strings.TrimSpace(command) != "" {
			commands = append(commands, command)
		}
	}
	if len(commands) == 0 {
		commands = []string{"netrc"} // an empty setting is none
	}
	return line, commands
}

func addGo(data []byte, w Want) ([]byte, *refusal) {
	command, ok := goCommand(w.Program)
	if !ok {
		return nil, &refusal{problem: "the go command could not read the path " + w.Program}
	}
	line, commands := goAuth(data)
	switch {
	case slices.Contains(commands, command):
		return data, nil
	case strings.TrimSpace(commands[0]) == "off" && !w.Force:
		return nil, &refusal{problem: "GOAUTH is off", line: lineNumber(data, line.start), foreign: true}
	case strings.TrimSpace(commands[0]) == "off":
		commands = nil
	}
	if mine := slices.IndexFunc(commands, oursInGo); mine >= 0 {
		commands[mine] = command
	} else {
		commands = append(commands, command)
	}
	return setGo(data, line, commands), nil
}

func setGo(data []byte, line *textLine, commands []string) []byte {
	text := "GOAUTH=" + strings.Join(commands, ";")
	if line == nil {
		return insertLines(data, len(data), text)
	}
	return splice(data, line.start, line.start+len(line.text), text)
}

func removeGo(data []byte, _ Want) ([]byte, *refusal) {
	line, commands := goAuth(data)
	left := slices.DeleteFunc(slices.Clone(commands), oursInGo)
	switch {
	case len(left) == len(commands):
		return data, nil
	case len(left) == 0 || len(left) == 1 && left[0] == "netrc":
		return splice(data, line.start, line.end, ""), nil
	}
	return setGo(data, line, left), nil
}
