interface QueueTextProps {
  readonly state: string;
  readonly text: string;
  readonly reason?: string | undefined;
}

/** How a message is that has not been delivered, and what it says. */
export function QueueText({ state, text, reason }: QueueTextProps) {
  return (
    <div class="queue-text">
      <span class="queue-state">{state}</span>
      <bdi class="truncate" title={text}>
        {text}
      </bdi>
      {reason !== undefined && (
        <span class="queue-reason" role="alert" dir="auto">
          {reason}
        </span>
      )}
    </div>
  );
}
