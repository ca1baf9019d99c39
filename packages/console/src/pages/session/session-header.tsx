import { useState } from 'preact/hooks';
import { Link, useLocation, useRouter } from 'wouter-preact';
import { errorText } from '../../api/error-text.ts';
import { interruptAgent } from '../../api/interrupt-agent.ts';
import { isLive, type LiveSession } from '../../api/live-session.ts';
import { NAME_TAGS } from '../../api/titles.ts';
import { Status } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { copyText } from '../../components/copy-button.tsx';
import { Icon } from '../../components/icon.tsx';
import { Menu, type MenuItem } from '../../components/menu.tsx';
import { TagList } from '../../components/tag-list.tsx';
import { useConsole } from '../../console-context.ts';
import { COMMON } from '../../texts/common.ts';
import { SESSION } from '../../texts/sessions.ts';
import { EndDialog } from '../sessions/end-dialog.tsx';
import { ShareDialog } from './share/share-dialog.tsx';

interface SessionHeaderProps {
  readonly session: LiveSession;
  readonly title: string;
  /** The part below has a button that interrupts the agent. */
  readonly isInterruptBelow: boolean;
}

/** What the session is, and what can be done with it; what this person may not do is not there. */
export function SessionHeader({ session, title, isInterruptBelow }: SessionHeaderProps) {
  const { auth, client, drafts, toasts } = useConsole();
  const [, navigate] = useLocation();
  const { base } = useRouter();
  const [isEnding, setEnding] = useState(false);
  const [isSharing, setSharing] = useState(() => drafts.shares.has(session.id));
  const [busy, setBusy] = useState<'interrupt' | 'resume' | null>(null);
  const canManage = auth.canManage(session);
  const canWrite = auth.canWrite(session);
  const canEnd = auth.can('session:delete') && canManage;
  const canResume = !isLive(session.phase) && auth.can('session:create') && canWrite;

  const run = async (
    what: 'interrupt' | 'resume',
    work: () => Promise<void>,
    done: string,
    failed: string,
  ): Promise<void> => {
    setBusy(what);
    try {
      await work();
      toasts.success(done);
    } catch (error) {
      toasts.failure(`${failed} ${errorText(error)}`);
    }
    setBusy(null);
  };
  const copy = (text: string): void => {
    copyText(text).then(
      () => toasts.success(COMMON.copied),
      () => toasts.failure(COMMON.copyFailed),
    );
  };
  const canShare = canManage && auth.can('session:access') && auth.me?.authentication === 'on';
  const items: MenuItem[] = [
    ...(canShare ? [{ label: SESSION.share, icon: 'share' as const, onSelect: () => setSharing(true) }] : []),
    { label: SESSION.copyId, icon: 'copy', onSelect: () => copy(session.id) },
    { label: SESSION.copyLink, icon: 'external', onSelect: () => copy(location.href) },
  ];
  const ends: MenuItem[] = canEnd
    ? [
        {
          label: isLive(session.phase) ? SESSION.end : SESSION.remove,
          icon: isLive(session.phase) ? 'stop' : 'trash',
          tone: 'danger',
          onSelect: () => setEnding(true),
        },
      ]
    : [];
  return (
    <header class="session-header">
      {auth.can('session:list') && (
        <Link
          href="/sessions"
          class="button session-back"
          data-variant="ghost"
          data-icon-only
          aria-label={SESSION.back}
        >
          <Icon name="chevronLeft" />
        </Link>
      )}
      <div class="session-heading">
        <h1 class="truncate" title={title}>
          <bdi>{title}</bdi>
        </h1>
        <div class="session-subheading">
          <span role="status">
            <Status phase={session.phase} />
          </span>
          <span class="muted truncate">{session.agent}</span>
          {session.repository !== undefined && (
            <span class="session-header-repository muted">
              <Icon name="branch" />
              <bdi class="truncate">{session.repository}</bdi>
            </span>
          )}
          <span class="session-header-tags">
            <TagList tags={session.tags} without={['repository', ...NAME_TAGS]} max={3} />
          </span>
        </div>
      </div>
      <div class="session-actions">
        {session.phase === 'working' && canWrite && !isInterruptBelow && (
          <Button
            size="small"
            icon="pause"
            busy={busy === 'interrupt'}
            onClick={() =>
              void run(
                'interrupt',
                () => interruptAgent(client.session(session.id)),
                SESSION.interrupted,
                SESSION.interruptFailed,
              )
            }
          >
            {SESSION.interrupt}
          </Button>
        )}
        {canResume && (
          <Button
            size="small"
            variant="primary"
            icon="play"
            busy={busy === 'resume'}
            onClick={() =>
              void run(
                'resume',
                () => client.session(session.id).resume(),
                SESSION.resumed,
                SESSION.resumeFailed,
              )
            }
          >
            {SESSION.resume}
          </Button>
        )}
        <Menu
          label={SESSION.actions}
          trigger={<Icon name="more" />}
          iconOnly
          size="small"
          align="end"
          groups={[items, ends]}
        />
      </div>
      {isSharing && canShare && <ShareDialog sessionId={session.id} onClose={() => setSharing(false)} />}
      {isEnding && (
        <EndDialog
          sessions={[session]}
          onClose={() => setEnding(false)}
          onEnded={(ids) => {
            // Whoever has gone elsewhere meanwhile stays there.
            const isHere = location.pathname.startsWith(`${base}/sessions/${session.id}`);
            if (ids.length > 0 && isHere) navigate('/sessions');
          }}
        />
      )}
    </header>
  );
}
