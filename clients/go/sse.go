package client

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// maxEvent bounds an event that is being read. Agents' messages are full texts and may be large.
const maxEvent = 64 << 20

// sseReader reads server-sent events, however the bytes are cut.
type sseReader struct {
	in *bufio.Reader
	// afterCR: the line before ended in CR, so a LF belongs to its end.
	afterCR bool
	begun   bool
	line    []byte
	data    []byte
	name    string
	hasData bool
}

func newSSEReader(in io.Reader) *sseReader { return &sseReader{in: bufio.NewReader(in)} }

// next returns the name and the data of the next event. What the stream's end has cut off is dropped (io.EOF).
func (r *sseReader) next() (string, []byte, error) {
	r.data, r.name, r.hasData = nil, "", false
	for {
		line, err := r.readLine()
		if err != nil {
			return "", nil, err
		}
		if len(line) > 0 {
			r.field(line)
			continue
		}
		if !r.hasData {
			// A name without data is no event.
			r.name = ""
			continue
		}
		if r.name == "" {
			r.name = "message"
		}
		return r.name, r.data, nil
	}
}

func (r *sseReader) field(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "event":
		r.name = string(value)
	case "data":
		if r.hasData {
			r.data = append(r.data, '\n')
		}
		r.data = append(r.data, value...)
		r.hasData = true
	}
}

// readLine returns the next line without its end, which is CR, LF or both. It is valid until the next call.
func (r *sseReader) readLine() ([]byte, error) {
	r.line = r.line[:0]
	for {
		if _, err := r.in.Peek(1); err != nil {
			return nil, err
		}
		ready, _ := r.in.Peek(r.in.Buffered())
		if r.afterCR && ready[0] == '\n' {
			r.afterCR = false
			_, _ = r.in.Discard(1)
			continue
		}
		r.afterCR = false
		end := bytes.IndexAny(ready, "\r\n")
		part := ready
		if end >= 0 {
			part = ready[:end]
		}
		if len(r.line)+len(r.data)+len(part) > maxEvent {
			return nil, fmt.Errorf("%w: an event is longer than %d bytes", ErrInvalidResponse, maxEvent)
		}
		r.line = append(r.line, part...)
		if end < 0 {
			_, _ = r.in.Discard(len(ready))
			continue
		}
		r.afterCR = ready[end] == '\r'
		_, _ = r.in.Discard(end + 1)
		if !r.begun {
			r.begun = true
			return bytes.TrimPrefix(r.line, []byte("\ufeff")), nil
		}
		return r.line, nil
	}
}
