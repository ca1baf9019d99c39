package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	client "agentapi-proxy/clients/go"
)

func connect() *client.Client {
	return client.NewClient(os.Getenv("AGENTAPI_PROXY_ENDPOINT"), client.WithAPIKey(os.Getenv("AGENTAPI_PROXY_API_KEY")))
}

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := connect()

	started, err := c.Start(ctx, &client.StartRequest{Agent: "demo", Environment: map[string]string{"EDITOR": "vi"}})
	if err != nil {
		log.Fatal(err)
	}
	turn, err := c.SendAndWait(ctx, started.SessionID, "Hello")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.TrimSpace(turn.Text()))

	deleted, err := c.DeleteSession(ctx, started.SessionID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(deleted.Status)
	// Output:
	// You said: Hello
	// terminated
}

func ExampleClient_StreamEvents() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := connect()
	started, err := c.Start(ctx, &client.StartRequest{Agent: "demo", Message: "Hello"})
	if err != nil {
		log.Fatal(err)
	}

	events, ended := c.StreamEvents(ctx, started.SessionID)
	for event := range events {
		if event.Type == client.EventMessageUpdate && strings.HasPrefix(event.Message.Content, "You said: Hello") {
			fmt.Println("answered")
			if _, err := c.DeleteSession(ctx, started.SessionID); err != nil {
				log.Fatal(err)
			}
			break
		}
	}
	for range events {
		// The session is being ended.
	}
	fmt.Println(errors.Is(<-ended, client.ErrSessionEnded))
	// Output:
	// answered
	// true
}

func ExampleClient_Search() {
	ctx := context.Background()
	c := connect()
	started, err := c.Start(ctx, &client.StartRequest{UserID: "carol", Agent: "demo", Tags: map[string]string{"team": "docs"}})
	if err != nil {
		log.Fatal(err)
	}

	ofCarol, err := c.Search(ctx, "carol", "active")
	if err != nil {
		log.Fatal(err)
	}
	for _, session := range ofCarol.Sessions {
		fmt.Println(session.UserID, session.Status, session.Agent, session.Tags["team"])
	}

	if _, err := c.DeleteSession(ctx, started.SessionID); err != nil {
		log.Fatal(err)
	}
	// Output: carol active demo docs
}

func ExampleError() {
	_, err := connect().GetStatus(context.Background(), "3f0c2e8a-0000-4000-8000-000000000000")
	var refused *client.Error
	switch {
	case errors.Is(err, client.ErrNotFound) && errors.As(err, &refused):
		fmt.Println(refused.StatusCode, refused.Code, refused.Message)
	case errors.Is(err, client.ErrUnavailable) && errors.As(err, &refused):
		fmt.Println("again after", refused.RetryAfter)
	default:
		fmt.Println(err)
	}
	// Output: 404 session_not_found Session not found
}
