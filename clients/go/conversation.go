package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"
)

// Status is what an agent does.
type Status string

const (
	// StatusStable: the agent waits for input.
	StatusStable Status = "stable"
	// StatusRunning: it works, or has not started yet.
	StatusRunning Status = "running"
)

// Role tells whose message it is.
type Role string

// Roles in a conversation.
const (
	RoleAgent Role = "agent"
	RoleUser  Role = "user"
)

// MessageType tells what the agent server does with a message.
type MessageType string

const (
	// MessageUser is a message of the conversation; it is refused unless the agent waits for input.
	MessageUser MessageType = "user"
	// MessageRaw is typed into the agent's terminal as it is, at any time, and is not recorded.
	MessageRaw MessageType = "raw"
)

// Message is one message of a conversation. Of a message to send only Content and Type count.
type Message struct {
	// ID counts from 0 in a conversation.
	ID      int       `json:"id"`
	Role    Role      `json:"role"`
	Content string    `json:"content"`
	Time    time.Time `json:"time"`
	// Type of a message to send; empty means [MessageUser].
	Type MessageType `json:"-"`
}

// MessageResponse answers a message.
type MessageResponse struct {
	OK bool `json:"ok"`
}

// MessagesResponse is a conversation, oldest message first.
type MessagesResponse struct {
	Messages []Message `json:"messages"`
}

// StatusResponse tells what the agent does.
type StatusResponse struct {
	Status    Status `json:"status"`
	AgentType string `json:"agent_type"`
	// Transport is "pty" or "acp".
	Transport string `json:"transport"`
}

// UploadResponse tells where an uploaded file lies on the agent's machine.
type UploadResponse struct {
	FilePath string `json:"filePath"`
}

// SendMessage sends a message. It returns when the agent has taken it, not when it has answered; see
// [Client.SendAndWait]. It is [ErrAgentBusy] when the agent does not wait for input. After an error of the
// connection it is not known whether the message has arrived; look into [Client.GetMessages].
func (c *Client) SendMessage(ctx context.Context, sessionID string, message *Message) (*MessageResponse, error) {
	if message == nil {
		return nil, invalidArgument("the message is nil")
	}
	body := struct {
		Content string      `json:"content"`
		Type    MessageType `json:"type"`
	}{message.Content, message.Type}
	if body.Type == "" {
		body.Type = MessageUser
	}
	if body.Type == MessageUser && strings.TrimSpace(body.Content) == "" {
		return nil, invalidArgument("the message is empty")
	}
	path, err := agentPath(sessionID, "message")
	if err != nil {
		return nil, err
	}
	return get[MessageResponse](ctx, c, call{method: http.MethodPost, path: path, json: body, timeout: sendTimeout})
}

// GetMessages returns the conversation so far.
func (c *Client) GetMessages(ctx context.Context, sessionID string) (*MessagesResponse, error) {
	return agentCall[MessagesResponse](ctx, c, sessionID, "messages")
}

// GetStatus tells whether the agent works or waits for input.
func (c *Client) GetStatus(ctx context.Context, sessionID string) (*StatusResponse, error) {
	return agentCall[StatusResponse](ctx, c, sessionID, "status")
}

// maxUpload is what agent servers take.
const maxUpload = 10 << 20

// Upload stores a file of at most 10 MiB where the agent can read it.
func (c *Client) Upload(ctx context.Context, sessionID, name string, content io.Reader) (*UploadResponse, error) {
	path, err := agentPath(sessionID, "upload")
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		return nil, err
	}
	size, err := io.Copy(part, io.LimitReader(content, maxUpload+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if size > maxUpload {
		return nil, invalidArgument(name + " is longer than 10 MiB")
	}
	if err := form.Close(); err != nil {
		return nil, err
	}
	k := call{method: http.MethodPost, path: path, body: &body, contentType: form.FormDataContentType(), timeout: uploadTimeout}
	return get[UploadResponse](ctx, c, k)
}

func agentPath(sessionID, name string) (string, error) {
	id, err := segment("session", sessionID)
	return "/" + id + "/" + name, err
}

func agentCall[T any](ctx context.Context, c *Client, sessionID, name string) (*T, error) {
	path, err := agentPath(sessionID, name)
	if err != nil {
		return nil, err
	}
	return get[T](ctx, c, call{method: http.MethodGet, path: path})
}
