package client

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

type cutReader struct {
	text string
	cuts *rand.Rand
}

func (r *cutReader) Read(into []byte) (int, error) {
	if r.text == "" {
		return 0, io.EOF
	}
	n := min(len(into), len(r.text), 1+r.cuts.IntN(5))
	copy(into, r.text[:n])
	r.text = r.text[n:]
	return n, nil
}

func readAll(t *testing.T, in io.Reader) (events []string) {
	t.Helper()
	reader := newSSEReader(in)
	for {
		name, data, err := reader.next()
		if errors.Is(err, io.EOF) {
			return events
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, name+"|"+string(data))
	}
}

func TestServerSentEventsAreReadHoweverTheyAreWrittenAndCut(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"a name and data":               {"event: a\ndata: 1\n\n", []string{"a|1"}},
		"no name":                       {"data: 1\n\n", []string{"message|1"}},
		"several lines":                 {"data: 1\ndata:2\ndata:  3\n\n", []string{"message|1\n2\n 3"}},
		"all line ends":                 {"data: 1\r\n\r\ndata: 2\r\rdata: 3\n\n", []string{"message|1", "message|2", "message|3"}},
		"comments and unknown fields":   {": hello\nid: 7\nretry: 5\nnonsense\ndata: 1\n\n: bye\n\n", []string{"message|1"}},
		"a name without data":           {"event: a\n\ndata: 1\n\n", []string{"message|1"}},
		"empty data":                    {"event: a\ndata\n\n", []string{"a|"}},
		"a byte order mark":             {"\ufeffdata: 1\n\n", []string{"message|1"}},
		"an event that is cut off":      {"data: 1\n\ndata: 2\n", []string{"message|1"}},
		"a line longer than 64 KiB":     {"data: " + strings.Repeat("x", 200_000) + "\n\n", []string{"message|" + strings.Repeat("x", 200_000)}},
		"letters of more than one byte": {"data: häß→\n\n", []string{"message|häß→"}},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(20) {
				got := readAll(t, &cutReader{test.text, rand.New(rand.NewPCG(seed, 0))})
				if strings.Join(got, "§") != strings.Join(test.want, "§") {
					t.Fatalf("seed %d: got %.200q", seed, got)
				}
			}
		})
	}
}

func TestAnEventBeyondAllMeasureIsRefused(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("data: "), repeat('x'))
	_, _, err := newSSEReader(endless).next()
	if !errors.Is(err, ErrInvalidResponse) {
		t.Fatalf("got %v", err)
	}
}

// repeat is a reader of the same byte without end.
type repeat byte

func (r repeat) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = byte(r)
	}
	return len(into), nil
}
