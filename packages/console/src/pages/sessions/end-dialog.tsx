import { useRef, useState } from 'preact/hooks';
import { ApiError } from '@agentapi-proxy/client';
import { isLive, type LiveSession } from '../../api/live-session.ts';
import { errorText } from '../../api/error-text.ts';
import { titleOf } from '../../api/titles.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Notice } from '../../components/notice.tsx';
import { useIsGone } from '../../components/use-is-gone.ts';
import { useConsole } from '../../console-context.ts';
import { COMMON } from '../../texts/common.ts';
import { END } from '../../texts/sessions.ts';
import './end-dialog.css';

interface EndDialogProps {
  readonly sessions: readonly LiveSession[];
  readonly onClose: () => void;
  /** Called with the ids of those that are gone. */
  readonly onEnded?: (ids: readonly string[]) => void;
}

interface Failure {
  readonly session: LiveSession;
  readonly reason: string;
}

/** The end of each takes a while and costs the server little, but 500 at once would crowd out everything else. */
const AT_ONCE = 4;
const MAX_NAMED = 8;

/** Asks whether sessions shall be ended and removed, does it, and names those with which it did not work. */
export function EndDialog({ sessions: asked, onClose, onEnded }: EndDialogProps) {
  const { client, titles, toasts } = useConsole();
  // What is ended is what was asked about, whatever happens to the selection meanwhile.
  const [sessions, setSessions] = useState(asked);
  const [done, setDone] = useState<number | null>(null);
  const [attempted, setAttempted] = useState(asked.length);
  const [failures, setFailures] = useState<readonly Failure[]>([]);
  const isRemoval = useRef(asked.every(({ phase }) => !isLive(phase))).current;
  const isGone = useIsGone();
  const nameOf = (session: LiveSession): string => titleOf(session, titles.of(session.id).value);

  const end = async (): Promise<void> => {
    const all = sessions.length;
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
          // Somebody else was faster.
          if (error instanceof ApiError && error.kind === 'not_found') ended.push(session.id);
          else failed.push({ session, reason: errorText(error) });
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
      toasts.failure(END.failedTitle(failed.length, all));
    } else {
      setFailures(failed);
      setAttempted(all);
      setSessions(failed.map(({ session }) => session));
      setDone(null);
    }
  };

  const isBusy = done !== null;
  const named = sessions.slice(0, MAX_NAMED);
  return (
    <Dialog
      title={isRemoval ? END.removeTitle(sessions.length) : END.title(sessions.length)}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{isBusy ? COMMON.close : COMMON.cancel}</Button>
          <Button variant="danger" busy={isBusy} onClick={() => void end()}>
            {failures.length > 0
              ? END.again
              : isRemoval
                ? END.removeConfirm(sessions.length)
                : END.confirm(sessions.length)}
          </Button>
        </>
      }
    >
      {failures.length > 0 ? (
        <Notice tone="danger">{END.failedTitle(failures.length, attempted)}</Notice>
      ) : (
        <p>{isRemoval ? END.removeText(sessions.length) : END.text(sessions.length)}</p>
      )}
      <ul role="list" class="end-list">
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
