package inifile

// nearest returns the word with the smallest edit distance to s, if that is at most limit; the first of equals.
func nearest(s string, words []string, limit int) string {
	best := ""
	for _, w := range words {
		if len(w) > len(s)+limit || len(s) > len(w)+limit {
			continue
		}
		if d := distance(s, w); d <= limit {
			best, limit = w, d-1
		}
	}
	return best
}

// distance is Levenshtein's: how many bytes to insert, remove, or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
