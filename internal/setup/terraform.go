package setup

import (
	"slices"
	"strings"
)

// terraformFormat is the CLI configuration of Terraform and OpenTofu, which takes one credentials_helper block only.
func terraformFormat() format {
	return format{add: addTerraform, remove: removeTerraform, show: func(Want) []string { return []string{terraformBlock} }}
}

const terraformBlock = `credentials_helper "cognito" {}`

// block is one credentials_helper at the top level.
type block struct {
	label      string
	start, end int
}

// parseTerraform finds the credentials_helper blocks of an HCL file. ok is false for a file whose brackets or quotes do not
// close.
func parseTerraform(data []byte) (blocks []block, ok bool) {
	p := hclParser{data: data}
	for p.at < len(data) {
		start := p.at
		word := p.next()
		if p.bad {
			return nil, false
		}
		if word != "credentials_helper" || p.depth > 0 {
			continue
		}
		label := p.next()
		brace := p.next()
		if !strings.HasPrefix(label, `"`) || brace != "{" {
			return nil, false
		}
		for p.depth > 0 && !p.bad && p.at < len(data) {
			p.next()
		}
		if p.bad || p.depth > 0 {
			return nil, false
		}
		start += strings.Index(string(data[start:]), word)
		blocks = append(blocks, block{strings.Trim(label, `"`), start, p.at})
	}
	return blocks, p.depth == 0 && !p.bad
}

// hclParser cuts HCL into words, strings, and signs: all that it takes to find a block.
type hclParser struct {
	data  []byte
	at    int
	depth int
	bad   bool
}

// next gives the next token, without comments; "" at the end.
func (p *hclParser) next() string {
	for p.at < len(p.data) {
		rest := string(p.data[p.at:])
		switch c := p.data[p.at]; {
		case c == '#' || strings.HasPrefix(rest, "//"):
			p.skipTo("\n")
		case strings.HasPrefix(rest, "/*"):
			if p.at += 2; !p.skipTo("*/") {
				p.bad = true
			}
		case c == '"':
			return p.text()
		case strings.HasPrefix(rest, "<<"):
			p.bad = true // a here-document has no place in this file
			return ""
		case c == '{' || c == '[':
			p.depth++
			p.at++
			return string(c)
		case c == '}' || c == ']':
			p.depth--
			p.at++
			p.bad = p.bad || p.depth < 0
			return string(c)
		case wordByte(c):
			from := p.at
			for p.at < len(p.data) && wordByte(p.data[p.at]) {
				p.at++
			}
			return string(p.data[from:p.at])
		default:
			p.at++
		}
	}
	return ""
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'
}

func (p *hclParser) skipTo(end string) bool {
	i := strings.Index(string(p.data[p.at:]), end)
	if i < 0 {
		p.at = len(p.data)
		return false
	}
	p.at += i + len(end)
	return true
}

func (p *hclParser) text() string {
	from := p.at
	for p.at++; p.at < len(p.data); p.at++ {
		switch p.data[p.at] {
		case '\\':
			p.at++
		case '\n':
			p.bad = true
			return ""
		case '"':
			p.at++
			return string(p.data[from:p.at])
		}
	}
	p.bad = true
	return ""
}

func addTerraform(data []byte, w Want) ([]byte, *refusal) {
	blocks, ok := parseTerraform(data)
	if !ok {
		return nil, &refusal{problem: "its quotes or brackets do not close, so that it is not clear where a block ends"}
	}
	var out []byte
	switch {
	case len(blocks) > 1:
		return nil, &refusal{problem: "it has two credentials_helper blocks, and Terraform takes one", line: lineNumber(data, blocks[1].start)}
	case len(blocks) == 1 && blocks[0].label == "cognito":
		return data, nil
	case len(blocks) == 1 && !w.Force:
		return nil, &refusal{problem: "Terraform has the credentials helper " + blocks[0].label + ", and takes only one", line: lineNumber(data, blocks[0].start), foreign: true}
	case len(blocks) == 1:
		out = splice(data, blocks[0].start, blocks[0].end, terraformBlock)
	default:
		out = insertLines(data, len(data), terraformBlock)
	}
	if now, ok := parseTerraform(out); !ok || len(now) != 1 || now[0].label != "cognito" {
		return nil, &refusal{problem: "the block cannot be written so that it reads back as it is"}
	}
	return out, nil
}

func removeTerraform(data []byte, _ Want) ([]byte, *refusal) {
	blocks, ok := parseTerraform(data)
	i := slices.IndexFunc(blocks, func(b block) bool { return b.label == "cognito" })
	if !ok || i < 0 {
		return data, nil
	}
	start, end := blocks[i].start, blocks[i].end
	line := textLines(data[:start])
	if n := len(line); n == 0 || line[n-1].end == start && data[start-1] == '\n' {
		if rest := string(data[end:]); strings.HasPrefix(rest, "\n") {
			end++
		} else if strings.HasPrefix(rest, "\r\n") {
			end += 2
		}
	}
	return splice(data, start, end, ""), nil
}
