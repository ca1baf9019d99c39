package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// settle is some ticks of an agent server: after that its status tells of a message just delivered.
	settle = 250 * time.Millisecond
	// initialPoll: what became of the first message is part of no event stream.
	initialPoll = 500 * time.Millisecond
	// noReply: an agent that rests this long after a message without any reply will not give one.
	noReply = 5 * time.Second
)

var errNoReply = errors.New("the agent rests without a reply")

// Turn is a message and what the agent answered to it.
type Turn struct {
	// Sent is the message as it stands in the conversation.
	Sent Message
	// Replies are the agent's messages of this turn; none if it came to rest without a word.
	Replies []Message
}

// Text joins the texts of all replies by an empty line.
func (t *Turn) Text() string {
	texts := make([]string, len(t.Replies))
	for i, reply := range t.Replies {
		texts[i] = reply.Content
	}
	return strings.Join(texts, "\n\n")
}

// WaitUntilReady returns when the agent waits for input and the message given at the start, if any, has been
// answered or has failed. A session that fails or ends instead is a [SessionEndedError]. Only ctx limits the wait.
func (c *Client) WaitUntilReady(ctx context.Context, sessionID string) error {
	for event, err := range c.Events(ctx, sessionID, nil) {
		if err != nil {
			return err
		}
		if event.Type != EventStatusChange || event.Status != StatusStable {
			continue
		}
		if ready, err := c.isReady(ctx, sessionID); err != nil || ready {
			return err
		}
	}
	return nil
}

// isReady tells whether a message sent now is the next thing the agent works on.
func (c *Client) isReady(ctx context.Context, sessionID string) (bool, error) {
	wasPending := false
	for {
		session, err := c.GetSession(ctx, sessionID)
		if errors.Is(err, ErrNotFound) || errors.Is(err, ErrInvalidRequest) {
			// Servers of the first generation have no such route.
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if session.InitialMessage == nil || session.InitialMessage.State != "pending" {
			break
		}
		wasPending = true
		if err := sleep(ctx, initialPoll); err != nil {
			return false, err
		}
	}
	if wasPending {
		if err := sleep(ctx, settle); err != nil {
			return false, err
		}
	}
	// What we were told may be older than the delivery.
	status, err := c.GetStatus(ctx, sessionID)
	return err == nil && status.Status == StatusStable, err
}

// SendAndWait sends a message as soon as the agent waits for input, and returns the answer when it is complete. Only
// ctx limits the wait; agents work for minutes.
func (c *Client) SendAndWait(ctx context.Context, sessionID, content string) (*Turn, error) {
	newest := -1
	for {
		if err := c.WaitUntilReady(ctx, sessionID); err != nil {
			return nil, err
		}
		before, err := c.GetMessages(ctx, sessionID)
		if err != nil {
			return nil, err
		}
		for _, message := range before.Messages {
			newest = max(newest, message.ID)
		}
		_, err = c.SendMessage(ctx, sessionID, &Message{Content: content})
		if err == nil {
			return c.awaitAnswer(ctx, sessionID, newest)
		}
		// Somebody else was faster; ours was refused, so it may be sent again.
		if !errors.Is(err, ErrAgentBusy) {
			return nil, err
		}
		if err := sleep(ctx, settle); err != nil {
			return nil, err
		}
	}
}

// awaitAnswer follows the events until the agent has come to rest after the message that was sent behind newest.
func (c *Client) awaitAnswer(ctx context.Context, sessionID string, newest int) (*Turn, error) {
	following, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	rest := time.AfterFunc(noReply, func() { cancel(errNoReply) })
	// It runs only while the agent rests.
	rest.Stop()
	defer rest.Stop()
	for event, err := range c.Events(following, sessionID, nil) {
		if errors.Is(err, errNoReply) {
			return c.turn(ctx, sessionID, newest)
		}
		if err != nil {
			return nil, err
		}
		if event.Type != EventStatusChange {
			continue
		}
		if event.Status != StatusStable {
			rest.Stop()
			continue
		}
		// A "stable" from before the agent noticed our message says nothing; one with an answer does.
		turn, err := c.turn(ctx, sessionID, newest)
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(turn.Text()) != "" {
			return turn, nil
		}
		rest.Reset(noReply)
	}
	return nil, context.Cause(ctx)
}

// turn reads our message and the replies to it.
func (c *Client) turn(ctx context.Context, sessionID string, newest int) (*Turn, error) {
	all, err := c.GetMessages(ctx, sessionID)
	if err != nil {
		return nil, err
	}
	var turn *Turn
	for _, message := range all.Messages {
		switch {
		case message.ID <= newest:
		case turn == nil && message.Role == RoleUser:
			turn = &Turn{Sent: message}
		case turn != nil && message.Role == RoleUser:
			return turn, nil
		case turn != nil:
			turn.Replies = append(turn.Replies, message)
		}
	}
	if turn == nil {
		return nil, fmt.Errorf("%w: the message that was sent is not part of the conversation", ErrInvalidResponse)
	}
	return turn, nil
}
