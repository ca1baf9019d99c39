package client

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// defaultTimeout is what the reference's library allows for a whole call.
	defaultTimeout = 30 * time.Second
	// sendTimeout covers an agent server that waits up to 17 s for the agent's reaction to a message.
	sendTimeout = 60 * time.Second
	// uploadTimeout fits 10 MiB over a slow line.
	uploadTimeout = 2 * time.Minute
	// gitTimeout leaves the server time to say that it gave up, which it does after a minute.
	gitTimeout = 90 * time.Second
	// pushTimeout does so for a push, with which it gives up after five.
	pushTimeout = 330 * time.Second
)

// Client calls one server. Make it with [NewClient].
type Client struct {
	baseURL string
	header  http.Header
	// calls and streams share connections; streams are not limited in time.
	calls   *http.Client
	streams *http.Client
	timeout time.Duration
	// invalid is what was wrong with the arguments of NewClient; every call returns it.
	invalid error
}

// Option changes how a [Client] works.
type Option func(*settings)

type settings struct {
	header     http.Header
	apiKey     *string
	httpClient *http.Client
	timeout    time.Duration
}

// WithAPIKey presents a key with every request, in the header X-API-Key.
func WithAPIKey(key string) Option {
	return func(s *settings) { s.apiKey = &key }
}

// WithHTTPClient sends requests with the transport, cookies and time limit of another client. Redirects are never
// followed, whatever it says, so that the key reaches no other server.
func WithHTTPClient(httpClient *http.Client) Option {
	return func(s *settings) { s.httpClient = httpClient }
}

// WithTimeout limits every ordinary call, and the wait for the beginning of an event stream. 0 is no limit.
func WithTimeout(timeout time.Duration) Option {
	return func(s *settings) { s.timeout = timeout }
}

// WithHeader sends one more header with every request.
func WithHeader(name, value string) Option {
	return func(s *settings) { s.header.Set(name, value) }
}

// NewClient makes a client of the server at baseURL, such as http://127.0.0.1:8080; a path in front of the API
// belongs to it. It makes no request. If an argument cannot be right, every call returns [ErrInvalidArgument].
func NewClient(baseURL string, options ...Option) *Client {
	s := settings{header: http.Header{}, timeout: defaultTimeout}
	for _, option := range options {
		option(&s)
	}
	base, invalid := parseBaseURL(baseURL)
	if s.apiKey != nil {
		if !isKey(*s.apiKey) {
			invalid = invalidArgument("the API key must be printable ASCII without spaces, and not empty")
		}
		s.header.Set("X-API-Key", *s.apiKey)
	}
	if s.timeout < 0 {
		invalid = invalidArgument("the timeout must not be negative")
	}
	calls := http.Client{Transport: defaultTransport()}
	if s.httpClient != nil {
		calls = *s.httpClient
	}
	calls.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	streams := calls
	streams.Timeout = 0
	return &Client{
		baseURL: base,
		header:  maps.Clone(s.header),
		calls:   &calls,
		streams: &streams,
		timeout: s.timeout,
		invalid: invalid,
	}
}

// CloseIdleConnections closes the connections that no call uses.
func (c *Client) CloseIdleConnections() { c.calls.CloseIdleConnections() }

func defaultTransport() http.RoundTripper {
	if transport, ok := http.DefaultTransport.(*http.Transport); ok {
		return transport.Clone()
	}
	return http.DefaultTransport
}

func parseBaseURL(text string) (string, error) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return "", invalidArgument("the base URL must look like http://127.0.0.1:8080")
	}
	if parsed.User != nil {
		return "", invalidArgument("the base URL must not contain a user name or password; use WithAPIKey or WithHeader")
	}
	if parsed.RawQuery != "" || parsed.Fragment != "" {
		return "", invalidArgument("the base URL must not contain a query or a fragment")
	}
	return strings.TrimRight(parsed.String(), "/"), nil
}

func isKey(key string) bool {
	if key == "" {
		return false
	}
	for _, char := range []byte(key) {
		if char < 0x21 || char > 0x7e {
			return false
		}
	}
	return true
}

// segment encodes an id as one segment of a path.
func segment(what, id string) (string, error) {
	switch id {
	case "":
		return "", invalidArgument(fmt.Sprintf("the %s id is empty", what))
	case ".", "..":
		// Servers and proxies take them for folders, even when they are encoded.
		return "", invalidArgument(fmt.Sprintf("%q is no %s id", id, what))
	}
	return url.PathEscape(id), nil
}
