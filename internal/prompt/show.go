package prompt

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"rsc.io/qr"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
)

const (
	maxShown   = 40   // choices, and public parameters
	valueLimit = 600  // runes of one public parameter
	uriLimit   = 2000 // of an otpauth URI
	quietZone  = 4    // light modules around a QR code (ISO/IEC 18004)

	// blackOnWhite are the fixed colours of the 256: readers need them, whatever the terminal's own are.
	blackOnWhite = "\x1b[38;5;16;48;5;231m"
	ownColours   = "\x1b[0m"
)

// show prints what belongs to a question: why it is asked again, what the server published, what can be chosen.
func (t *Terminal) show(d *device, q challenge.Question) {
	if q.Note != "" {
		fmt.Fprintf(d.out, "%s\n", safetext.Line(q.Note, labelLimit))
	}
	names := slices.Sorted(maps.Keys(q.Parameters))
	for _, name := range names[:min(len(names), maxShown)] {
		fmt.Fprintf(d.out, "  %s: %s\n", safetext.Line(name, labelLimit), safetext.Line(q.Parameters[name], valueLimit))
	}
	if !q.URI.Empty() && !q.URI.Equal(t.drawn) {
		t.drawn = q.URI
		t.showURI(d, q.URI.Reveal())
	}
	for i, c := range q.Choices[:min(len(q.Choices), maxShown)] {
		fmt.Fprintf(d.out, "  %d) %s\n", i+1, safetext.Line(c, labelLimit))
	}
}

// showURI shows a URI for an authenticator app as a QR code, where one can be drawn and read, and always as text.
func (t *Terminal) showURI(d *device, uri string) {
	if code, err := qr.Encode(uri, qr.L); err == nil && !t.Plain {
		if columns := width(d.out); columns == 0 || columns >= code.Size+2*quietZone {
			draw(d.out, code)
		}
	}
	fmt.Fprintf(d.out, "%s\n", safetext.Line(uri, uriLimit))
}

// draw prints a QR code, two modules to a character.
func draw(out io.Writer, code *qr.Code) {
	for y := -quietZone; y < code.Size+quietZone; y += 2 {
		var row strings.Builder
		for x := -quietZone; x < code.Size+quietZone; x++ {
			row.WriteRune(halves(code.Black(x, y), code.Black(x, y+1)))
		}
		fmt.Fprintf(out, "%s%s%s\n", blackOnWhite, row.String(), ownColours)
	}
}

func halves(upper, lower bool) rune {
	switch {
	case upper && lower:
		return '█'
	case upper:
		return '▀'
	case lower:
		return '▄'
	default:
		return ' '
	}
}
