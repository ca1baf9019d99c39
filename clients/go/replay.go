package client

// maxRetainedErrors is how many agent errors a server keeps for its replay.
const maxRetainedErrors = 100

// replayFilter tells news from repetition: on every connection the server first replays the whole conversation,
// the status and the retained errors.
type replayFilter struct {
	messages map[int]Message
	status   Status
	// delivered errors; expected are those of them that this connection's replay has not repeated yet.
	delivered, expected []AgentError
	// changed: this connection has brought a change before its first status.
	changed, statusSeen bool
}

func newReplayFilter() replayFilter { return replayFilter{messages: map[int]Message{}} }

// connect is to be called when a connection begins.
func (f *replayFilter) connect() {
	f.expected = append([]AgentError(nil), f.delivered...)
	f.changed, f.statusSeen = false, false
}

// isNews tells whether the consumer has yet to learn of the event; from then on it is known.
func (f *replayFilter) isNews(event Event) bool {
	switch event.Type {
	case EventMessageUpdate:
		known, isKnown := f.messages[event.Message.ID]
		if isKnown && isSame(known, *event.Message) {
			return false
		}
		f.messages[event.Message.ID] = *event.Message
		f.changed = true
	case EventStatusChange:
		// While we were away the agent may have worked and come to rest again. The same word then says something
		// new: that the messages just replayed are complete.
		restated := !f.statusSeen && f.changed
		f.statusSeen = true
		if f.status == event.Status && !restated {
			return false
		}
		f.status = event.Status
	case EventAgentError:
		for i, known := range f.expected {
			if known.Message == event.AgentError.Message && known.Level == event.AgentError.Level && known.Time.Equal(event.AgentError.Time) {
				f.expected = append(f.expected[:i], f.expected[i+1:]...)
				return false
			}
		}
		f.delivered = append(f.delivered, *event.AgentError)
		f.delivered = f.delivered[max(0, len(f.delivered)-maxRetainedErrors):]
	}
	// Of what is unknown nothing may be dropped.
	return true
}

func isSame(a, b Message) bool {
	return a.Role == b.Role && a.Content == b.Content && a.Time.Equal(b.Time)
}
