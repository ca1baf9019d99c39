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
		char, err := r.in.ReadByte()
		if err != nil {
			return nil, err
		}
		if char == '\n' && r.afterCR {
			r.afterCR = false
			continue
		}
		r.afterCR = char == '\r'
		if char == '\n' || char == '\r' {
			if !r.begun {
				r.begun = true
				return bytes.TrimPrefix(r.line, []byte("\ufeff")), nil
			}
			return r.line, nil
		}
		if len(r.line)+len(r.data) >= maxEvent {
			return nil, fmt.Errorf("%w: an event is longer than %d bytes", ErrInvalidResponse, maxEvent)
		}
		r.line = append(r.line, char)
	}
}
