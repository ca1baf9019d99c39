import { useEffect, useRef, useState } from 'preact/hooks';
import type { LiveSession } from '../../api/live-session.ts';
import { errorText } from '../../api/error-text.ts';
import { titleOf } from '../../api/titles.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Notice } from '../../components/notice.tsx';
import { useConsole } from '../../console-context.ts';
import { COMMON } from '../../texts/common.ts';
import { END } from '../../texts/sessions.ts';
import './end-dialog.css';

interface EndDialogProps {
  readonly sessions: readonly LiveSession[];
  readonly onClose: () => void;
  /** Called with the ids of those that have ended. */
  readonly onEnded?: (ids: readonly string[]) => void;
}

interface Failure {
  readonly session: LiveSession;
  readonly reason: string;
}

/** The end of each takes a while and costs the server little, but 500 at once would crowd out everything else. */
const AT_ONCE = 4;
const MAX_NAMED = 8;

/** Asks whether sessions shall be ended, ends them, and names those that could not be. */
export function EndDialog({ sessions: asked, onClose, onEnded }: EndDialogProps) {
  const { client, titles, toasts } = useConsole();
  // What is ended is what was asked about, whatever happens to the selection meanwhile.
  const [sessions, setSessions] = useState(asked);
  const [done, setDone] = useState<number | null>(null);
  const [failures, setFailures] = useState<readonly Failure[]>([]);
  const isGone = useRef(false);
  useEffect(
    () => () => {
      isGone.current = true;
    },
    [],
  );
  const nameOf = (session: LiveSession): string => titleOf(session, titles.of(session.id).value);

  const end = async (): Promise<void> => {
    setFailures([]);
    setDone(0);
    const waiting = [...sessions];
    const failed: Failure[] = [];
    const ended: string[] = [];
    const work = async (): Promise<void> => {
      for (let session = waiting.shift(); session !== undefined; session = waiting.shift()) {
        try {
          const { status } = await client.delete(session.id);
          if (status === 'terminating') failed.push({ session, reason: END.lingering });
          else ended.push(session.id);
        } catch (error) {
          failed.push({ session, reason: errorText(error) });
        }
        if (!isGone.current) setDone(ended.length + failed.length);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    onEnded?.(ended);
    if (failed.length === 0) {
      toasts.success(END.done(ended.length));
      if (!isGone.current) onClose();
    } else if (isGone.current) {
      toasts.failure(END.failedTitle(failed.length, sessions.length));
    } else {
      setFailures(failed);
      setSessions(failed.map(({ session }) => session));
      setDone(null);
    }
  };

  const isBusy = done !== null;
  const named = sessions.slice(0, MAX_NAMED);
  return (
    <Dialog
      title={END.title(sessions.length)}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{isBusy ? COMMON.close : COMMON.cancel}</Button>
          <Button variant="danger" busy={isBusy} onClick={() => void end()}>
            {failures.length > 0 ? END.again : END.confirm(sessions.length)}
          </Button>
        </>
      }
    >
      {failures.length > 0 ? (
        <Notice tone="danger">{END.failedTitle(failures.length, asked.length)}</Notice>
      ) : (
        <p>{END.text}</p>
      )}
      <ul class="end-list">
        {named.map((session) => {
          const failure = failures.find((each) => each.session.id === session.id);
          return (
            <li key={session.id}>
              <bdi>{nameOf(session)}</bdi>
              {failure !== undefined && <div class="field-error">{failure.reason}</div>}
            </li>
          );
        })}
        {sessions.length > named.length && <li class="muted">{END.more(sessions.length - named.length)}</li>}
      </ul>
      {done !== null && (
        <div role="status">
          <progress
            class="end-progress"
            value={done}
            max={sessions.length}
            aria-label={END.progress(done, sessions.length)}
          />
          {END.progress(done, sessions.length)}
        </div>
      )}
    </Dialog>
  );
}
