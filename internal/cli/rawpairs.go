package cli

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/prompt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// pairs are the values of an option that takes KEY=VALUE, or a whole JSON object as @FILE or -.
type pairs struct {
	option string
	given  []string
}

// secretNames are the parameters and responses that must not stand on a command line.
var secretNames = []string{"PASSWORD", "NEW_PASSWORD", "REFRESH_TOKEN"}

// claim checks the form of each, and who reads standard input.
func (p pairs) claim(v *prompt.Values) error {
	seen := map[string]bool{}
	for _, g := range p.given {
		key, value, whole := p.cut(g)
		switch {
		case !whole && (key == "" || value == ""):
			return usageOf(p.option + " takes KEY=VALUE, KEY=@FILE, KEY=-, or a JSON object as @FILE or -")
		case seen[key] && !whole:
			return usageOf(p.option + ": " + key + " is given twice")
		}
		seen[key] = true
		if err := v.Claim(p.reader(key), value); err != nil {
			return err
		}
	}
	return nil
}

// cut parts KEY=VALUE. whole says that the value is the place of a JSON object.
func (p pairs) cut(g string) (key, value string, whole bool) {
	if g == "-" || strings.HasPrefix(g, "@") {
		return "", g, true
	}
	key, value, _ = strings.Cut(g, "=")
	return key, value, false
}

func (p pairs) reader(key string) string { return strings.TrimSpace(p.option + " " + key) }

// literals names the secrets that stand on the command line itself.
func (p pairs) literals() (names []string) {
	for _, g := range p.given {
		if key, value, whole := p.cut(g); !whole && slices.Contains(secretNames, key) && prompt.Literal(value) {
			names = append(names, key)
		}
	}
	return names
}

// read gives all of them.
func (p pairs) read(ctx context.Context, v *prompt.Values) (map[string]token.Secret, error) {
	all := map[string]token.Secret{}
	add := func(key string, value token.Secret) error {
		if _, twice := all[key]; twice {
			return usageOf(p.option + ": " + key + " is given twice")
		}
		all[key] = value
		return nil
	}
	for _, g := range p.given {
		key, value, whole := p.cut(g)
		text, err := v.Read(ctx, p.reader(key), value)
		if err != nil {
			return nil, err
		}
		if !whole {
			if err := add(key, text); err != nil {
				return nil, err
			}
			continue
		}
		object := map[string]string{}
		if json.Unmarshal([]byte(text.Reveal()), &object) != nil {
			return nil, usageOf(p.option + ": the text is not one JSON object of strings")
		}
		for key, value := range object {
			if err := add(key, token.NewSecret(value)); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}
