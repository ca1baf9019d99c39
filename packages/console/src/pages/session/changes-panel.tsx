import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ApiError, type GitDiff, type GitStatus } from '@agentapi-proxy/client';
import { useLoaded } from '../../api/use-loaded.ts';
import { Button, IconButton } from '../../components/button.tsx';
import { Icon } from '../../components/icon.tsx';
import { Loading } from '../../components/loading.tsx';
import { EmptyState, ErrorNotice, Notice } from '../../components/notice.tsx';
import { Select, type Choice } from '../../components/select.tsx';
import { useConsole } from '../../console-context.ts';
import { CHANGES, PULL_REQUEST, PUSH } from '../../texts/workspace.ts';
import { changedFiles, initiallyOpen, sumOfLines, type ChangedFile } from './changes/changed-file.ts';
import { FileList, LineCounts } from './changes/file-list.tsx';
import { FileChanges } from './changes/file-changes.tsx';
import { PullRequestDialog } from './changes/pull-request-dialog.tsx';
import { PushDialog } from './changes/push-dialog.tsx';
import type { SessionPanelProps } from './session-tabs.ts';
import './changes/changes-panel.css';

type Since = 'commit' | 'start';
const SINCE_CHOICES: readonly Choice<Since>[] = [
  { value: 'commit', text: CHANGES.sinceCommit },
  { value: 'start', text: CHANGES.sinceStart },
];

interface Changes {
  readonly status: GitStatus;
  readonly diff: GitDiff;
  readonly since: Since;
}

/** What the agent has changed in its workspace, and how it gets to GitHub. */
export function ChangesPanel({ session }: SessionPanelProps) {
  const { client, auth } = useConsole();
  const [chosen, setChosen] = useState<Since | null>(null);
  const { git } = useMemo(() => client.session(session.id), [client, session.id]);
  const loaded = useLoaded<Changes>(
    async (signal) => {
      const status = await git.status({ signal });
      // Agents commit: then there is nothing new since the last commit, but all the more since the beginning.
      const since = chosen ?? ((status.commits_since_start ?? 0) > 0 ? 'start' : 'commit');
      return { status, since, diff: await git.diff({ since, signal }) };
    },
    [git, chosen],
  );
  const { value, error, isLoading, reload } = loaded;
  useRest(session.phase === 'working' || session.phase === 'starting', reload);

  if (value === null && error === null) return <Loading />;
  const empty = error instanceof ApiError ? emptyFor(error.code, reload, isLoading) : null;
  if (empty !== null) return empty;
  if (value === null) {
    return (
      <div class="page">
        <ErrorNotice title={CHANGES.loadFailed} error={error} onRetry={reload} />
      </div>
    );
  }
  const canPush = auth.canWrite(session) && value.status.commit !== null && session.repository !== undefined;
  return (
    <section class="changes" aria-label={CHANGES.label} aria-busy={isLoading}>
      <Toolbar
        sessionId={session.id}
        changes={value}
        canPush={canPush}
        isBusy={isLoading}
        onSince={setChosen}
        onRefresh={reload}
      />
      {error !== null && (
        <div class="changes-notice">
          <ErrorNotice title={CHANGES.loadFailed} error={error} onRetry={reload} />
        </div>
      )}
      <Files sessionId={session.id} changes={value} />
    </section>
  );
}

/** Calls back when what was going on comes to an end. */
function useRest(isBusy: boolean, onRest: () => void): void {
  const was = useRef(isBusy);
  useEffect(() => {
    if (was.current && !isBusy) onRest();
    was.current = isBusy;
  }, [isBusy, onRest]);
}

function emptyFor(code: string | undefined, onRefresh: () => void, isBusy: boolean) {
  const refresh = (
    <Button icon="refresh" busy={isBusy} onClick={onRefresh}>
      {CHANGES.refresh}
    </Button>
  );
  if (code === 'not_a_repository') {
    return (
      <EmptyState icon="branch" title={CHANGES.noRepositoryTitle} actions={refresh}>
        {CHANGES.noRepositoryText}
      </EmptyState>
    );
  }
  if (code === 'workspace_missing') {
    return (
      <EmptyState icon="folder" title={CHANGES.missingTitle} actions={refresh}>
        {CHANGES.missingText}
      </EmptyState>
    );
  }
  return null;
}

interface ToolbarProps {
  readonly sessionId: string;
  readonly changes: Changes;
  readonly canPush: boolean;
  readonly isBusy: boolean;
  readonly onSince: (since: Since) => void;
  readonly onRefresh: () => void;
}

function Toolbar({ sessionId, changes, canPush, isBusy, onSince, onRefresh }: ToolbarProps) {
  const { status, diff, since } = changes;
  const { drafts } = useConsole();
  const [dialog, setDialog] = useState<'push' | 'pull-request' | null>(() => {
    if (drafts.pushes.has(sessionId)) return 'push';
    return drafts.pullRequests.has(sessionId) ? 'pull-request' : null;
  });
  const { added, removed } = sumOfLines(diff.files);
  const close = (): void => setDialog(null);
  return (
    <div class="changes-toolbar">
      <div class="changes-summary">
        <span role="status">
          <strong>{CHANGES.files(diff.files.length)}</strong> <LineCounts added={added} removed={removed} />
        </span>
        <span class="changes-branch muted">
          <Icon name="branch" />
          <span class="visually-hidden">{CHANGES.onBranch}</span>
          <bdi class="truncate">{status.branch ?? CHANGES.noBranch}</bdi>
          {status.commit !== null && <code>{status.commit.slice(0, 8)}</code>}
        </span>
        {status.commits_since_start !== null && status.commits_since_start > 0 && (
          <span class="muted">{CHANGES.commits(status.commits_since_start)}</span>
        )}
      </div>
      <div class="changes-actions">
        {status.commits_since_start !== null && (
          <Select
            class="changes-since"
            aria-label={CHANGES.since}
            choices={SINCE_CHOICES}
            value={since}
            onChange={onSince}
          />
        )}
        {canPush && (
          <>
            <Button size="small" icon="send" onClick={() => setDialog('push')}>
              {PUSH.open}
            </Button>
            <Button size="small" icon="branch" onClick={() => setDialog('pull-request')}>
              {PULL_REQUEST.open}
            </Button>
          </>
        )}
        <IconButton
          icon="refresh"
          size="small"
          label={CHANGES.refresh}
          aria-busy={isBusy}
          onClick={onRefresh}
        />
      </div>
      {canPush && dialog === 'push' && <PushDialog sessionId={sessionId} status={status} onClose={close} />}
      {canPush && dialog === 'pull-request' && (
        <PullRequestDialog sessionId={sessionId} branch={status.branch} onClose={close} />
      )}
    </div>
  );
}

function Files({ sessionId, changes }: { readonly sessionId: string; readonly changes: Changes }) {
  const { diff, since } = changes;
  const files = useMemo(() => changedFiles(diff), [diff]);
  const [open, setOpen] = useState<ReadonlySet<string>>(() => initiallyOpen(files));
  const known = useRef(new Set<string>());
  useEffect(() => {
    // What somebody has folded stays folded; files that are new here appear as in the beginning.
    const fresh = files.filter(({ path }) => !known.current.has(path));
    for (const { path } of fresh) known.current.add(path);
    const opened = initiallyOpen(fresh);
    setOpen((before) => new Set([...before, ...opened]));
  }, [files]);
  const places = useRef(new Map<string, HTMLElement>());
  const set = (path: string, isOpen: boolean): void => {
    setOpen((before) => {
      if (before.has(path) === isOpen) return before;
      const next = new Set(before);
      if (isOpen) next.add(path);
      else next.delete(path);
      return next;
    });
  };
  const show = ({ path }: ChangedFile): void => {
    set(path, true);
    const place = places.current.get(path);
    place?.scrollIntoView({ block: 'start' });
    place?.querySelector('summary')?.focus({ preventScroll: true });
  };
  if (files.length === 0) {
    return (
      <EmptyState icon="check" title={CHANGES.cleanTitle}>
        {since === 'start' ? CHANGES.cleanSinceStart : CHANGES.cleanSinceCommit}
      </EmptyState>
    );
  }
  const isAllOpen = files.every(({ path }) => open.has(path));
  return (
    <div class="changes-body">
      <div class="changes-side">
        <FileList files={files} onShow={show} />
      </div>
      <div class="changes-files">
        {diff.truncated && <Notice tone="info">{CHANGES.truncated}</Notice>}
        {files.length > 1 && (
          <Button
            size="small"
            variant="ghost"
            onClick={() => setOpen(new Set(isAllOpen ? [] : files.map(({ path }) => path)))}
          >
            {isAllOpen ? CHANGES.closeAll : CHANGES.openAll}
          </Button>
        )}
        {files.map((file) => (
          <FileChanges
            key={file.path}
            sessionId={sessionId}
            file={file}
            since={since}
            revision={diff}
            isOpen={open.has(file.path)}
            onToggle={(isOpen) => set(file.path, isOpen)}
            placeRef={(element) => {
              if (element === null) places.current.delete(file.path);
              else places.current.set(file.path, element);
            }}
          />
        ))}
      </div>
    </div>
  );
}
