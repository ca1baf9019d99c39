package client

import (
	"context"
	"net/http"
)

// GitStatus tells how a session's workspace differs from its last commit. What does not apply is empty.
type GitStatus struct {
	Branch            string          `json:"branch"`
	Commit            string          `json:"commit"`
	CommitsSinceStart int             `json:"commits_since_start"`
	Clean             bool            `json:"clean"`
	Files             []GitFileStatus `json:"files"`
	// Truncated: there are more files.
	Truncated bool `json:"truncated"`
}

// GitFileStatus is a file that differs. Staged and Unstaged are words such as "added", "modified" and "untracked".
type GitFileStatus struct {
	Path     string `json:"path"`
	From     string `json:"from"`
	Staged   string `json:"staged"`
	Unstaged string `json:"unstaged"`
}

// GitDiff is what has changed in a session's workspace since it was cloned.
type GitDiff struct {
	Against string       `json:"against"`
	Diff    string       `json:"diff"`
	Files   []GitChanges `json:"files"`
	// Truncated: the text was cut.
	Truncated bool `json:"truncated"`
}

// GitChanges counts the lines that were added to and removed from a file; nil for files that are no text.
type GitChanges struct {
	Path    string `json:"path"`
	From    string `json:"from"`
	Change  string `json:"change"`
	Added   *int   `json:"added"`
	Removed *int   `json:"removed"`
}

// GitPushRequest says what to push; the zero value pushes the present branch.
type GitPushRequest struct {
	Branch string `json:"branch,omitzero"`
	Force  bool   `json:"force,omitzero"`
}

// GitPush tells what was pushed. Result is "created", "updated" or "up_to_date".
type GitPush struct {
	Branch string `json:"branch"`
	Commit string `json:"commit"`
	Result string `json:"result"`
}

// PullRequestRequest describes a pull request; Title is required.
type PullRequestRequest struct {
	Title string `json:"title"`
	Body  string `json:"body,omitzero"`
	// Base is the branch to merge into, Head the one to merge; else the usual ones.
	Base  string `json:"base,omitzero"`
	Head  string `json:"head,omitzero"`
	Draft bool   `json:"draft,omitzero"`
}

// PullRequest is one that was made, or that was there.
type PullRequest struct {
	Number int    `json:"number"`
	URL    string `json:"url"`
	Base   string `json:"base"`
	Head   string `json:"head"`
}

// GitStatus tells how a session's workspace differs from its last commit.
func (c *Client) GitStatus(ctx context.Context, sessionID string) (*GitStatus, error) {
	return gitCall[GitStatus](ctx, c, sessionID, call{method: http.MethodGet, path: "/git/status"})
}

// GitDiff returns what has changed in a session's workspace since it was cloned.
func (c *Client) GitDiff(ctx context.Context, sessionID string) (*GitDiff, error) {
	return gitCall[GitDiff](ctx, c, sessionID, call{method: http.MethodGet, path: "/git/diff"})
}

// GitPush pushes a session's branch.
func (c *Client) GitPush(ctx context.Context, sessionID string, request GitPushRequest) (*GitPush, error) {
	k := call{method: http.MethodPost, path: "/git/push", json: request, timeout: pushTimeout}
	return gitCall[GitPush](ctx, c, sessionID, k)
}

// CreatePullRequest makes a pull request of a session's branch.
func (c *Client) CreatePullRequest(ctx context.Context, sessionID string, request PullRequestRequest) (*PullRequest, error) {
	k := call{method: http.MethodPost, path: "/git/pull-request", json: request}
	return gitCall[PullRequest](ctx, c, sessionID, k)
}

// gitCall makes a call whose path is relative to the session's record. Git takes its time.
func gitCall[T any](ctx context.Context, c *Client, sessionID string, k call) (*T, error) {
	path, err := recordPath(sessionID, k.path)
	if err != nil {
		return nil, err
	}
	k.path = path
	if k.timeout == 0 {
		k.timeout = gitTimeout
	}
	return get[T](ctx, c, k)
}
