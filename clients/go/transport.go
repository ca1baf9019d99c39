package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"
)

const (
	// maxAnswer bounds what an answer may make us keep in memory; long conversations fit in.
	maxAnswer = 64 << 20
	// maxErrorAnswer is more than any error needs.
	maxErrorAnswer = 1 << 20
	jsonType       = "application/json"
)

// call is one request.
type call struct {
	method string
	// path below the base URL, each segment already encoded.
	path  string
	query url.Values
	// json is sent as the body unless it is nil.
	json any
	// body with its type is sent instead of json.
	body        io.Reader
	contentType string
	ifMatch     string
	accept      string
	// timeout of this call where it differs from the client's.
	timeout time.Duration
}

func (k call) String() string { return k.method + " " + k.path }

// errTimeout is the cause of a context that a limit of this package has ended.
var errTimeout = fmt.Errorf("the time limit passed: %w", context.DeadlineExceeded)

// do calls, decodes a JSON answer into T and returns it with the answer's header.
func do[T any](ctx context.Context, c *Client, k call) (*T, http.Header, error) {
	k.accept = jsonType
	body, header, err := c.read(ctx, k)
	if err != nil {
		return nil, nil, err
	}
	answer := new(T)
	if err := json.Unmarshal(body, answer); err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", ErrInvalidResponse, k, err)
	}
	return answer, header, nil
}

// get is do for calls whose header does not matter.
func get[T any](ctx context.Context, c *Client, k call) (*T, error) {
	answer, _, err := do[T](ctx, c, k)
	return answer, err
}

// read calls and reads the answer's body, of at most maxAnswer bytes.
func (c *Client) read(ctx context.Context, k call) ([]byte, http.Header, error) {
	timeout := k.timeout
	if timeout == 0 {
		timeout = c.timeout
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, errTimeout)
		defer cancel()
	}
	response, err := c.send(ctx, c.calls, k)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, nil, brokenBy(ctx, k, err)
	}
	if len(body) > maxAnswer {
		return nil, nil, invalidResponse(k.String(), fmt.Sprintf("the answer is longer than %d bytes", maxAnswer))
	}
	return body, response.Header, nil
}

// stream opens an event stream. The client's time limit covers the head of the answer only; the context ends the rest.
func (c *Client) stream(ctx context.Context, cancel context.CancelCauseFunc, path string) (io.ReadCloser, error) {
	k := call{method: http.MethodGet, path: path, accept: "text/event-stream"}
	if c.timeout > 0 {
		timer := time.AfterFunc(c.timeout, func() { cancel(errTimeout) })
		defer timer.Stop()
	}
	response, err := c.send(ctx, c.streams, k)
	if err != nil {
		return nil, err
	}
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if mediaType != "text/event-stream" {
		response.Body.Close()
		return nil, invalidResponse(k.String(), fmt.Sprintf("no event stream, but content type %q", mediaType))
	}
	return response.Body, nil
}

// send makes the request and returns the answer if it is a success. The caller closes its body.
func (c *Client) send(ctx context.Context, httpClient *http.Client, k call) (*http.Response, error) {
	if c.invalid != nil {
		return nil, c.invalid
	}
	body, contentType := k.body, k.contentType
	if k.json != nil {
		encoded, err := json.Marshal(k.json)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInvalidArgument, err)
		}
		body, contentType = bytes.NewReader(encoded), jsonType
	}
	address := c.baseURL + k.path
	if len(k.query) > 0 {
		address += "?" + k.query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, k.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidArgument, err)
	}
	for name, values := range c.header {
		request.Header[name] = values
	}
	request.Header.Set("Accept", k.accept)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if k.ifMatch != "" {
		request.Header.Set("If-Match", k.ifMatch)
	}
	response, err := httpClient.Do(request)
	if err != nil {
		return nil, brokenBy(ctx, k, err)
	}
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return response, nil
	}
	defer response.Body.Close()
	// An error's text is a courtesy: what arrived of it is enough.
	said, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorAnswer))
	return nil, errorOf(k.method, k.path, response, said)
}

// brokenBy names the call that an error of the connection has broken, and the reason if it is the context's.
func brokenBy(ctx context.Context, k call, err error) error {
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, ctx.Err()) {
		return fmt.Errorf("%s: %w", k, cause)
	}
	return fmt.Errorf("%s: %w", k, err)
}
