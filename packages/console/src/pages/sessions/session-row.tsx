import { memo } from '../../memo.ts';
import { Link } from 'wouter-preact';
import type { LiveSession } from '../../api/live-session.ts';
import { NAME_TAGS } from '../../api/titles.ts';
import { Status } from '../../components/badge.tsx';
import { Icon } from '../../components/icon.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { TagList } from '../../components/tag-list.tsx';
import { useSessionTitle } from '../../console-context.ts';
import { SESSIONS } from '../../texts/sessions.ts';

interface SessionRowProps {
  readonly session: LiveSession;
  /** `null`: the person may not end it, or it has ended. */
  readonly selected: boolean | null;
  /** Of all rows of the list, from 1. */
  readonly position: number;
  readonly count: number;
  readonly top: number;
  readonly showOwner: boolean;
  readonly onSelect: (session: LiveSession, isSelected: boolean, isRange: boolean) => void;
  readonly onTag: (name: string, value: string) => void;
}

/** Shown in columns of their own, or as the title. */
const OTHER_TAGS = ['repository', ...NAME_TAGS];
const MAX_TAGS = 4;

/** A session in the list; drawn again only when something of it changes. */
export const SessionRow = memo(function SessionRow(props: SessionRowProps) {
  const { session, selected, position, count, top, showOwner, onSelect, onTag } = props;
  const title = useSessionTitle(session);
  return (
    <li
      class="session-row"
      data-id={session.id}
      data-phase={session.phase}
      data-selected={selected === true}
      aria-setsize={count}
      aria-posinset={position}
      style={{ top: `${top}px` }}
    >
      <span class="session-check">
        {selected !== null && (
          <input
            type="checkbox"
            checked={selected}
            aria-label={SESSIONS.selectOne(title)}
            onClick={(event) => onSelect(session, event.currentTarget.checked, event.shiftKey)}
          />
        )}
      </span>
      <Link href={`/sessions/${session.id}`} class="session-link" title={title}>
        <bdi class="truncate">{title}</bdi>
      </Link>
      <span class="session-facts">
        {session.repository !== undefined && (
          <span class="session-repository muted" title={session.repository}>
            <Icon name="branch" />
            <bdi class="truncate">{session.repository}</bdi>
          </span>
        )}
        <TagList tags={session.tags} without={OTHER_TAGS} max={MAX_TAGS} onSelect={onTag} />
      </span>
      <span class="session-status">
        <Status phase={session.phase} />
      </span>
      <span class="session-agent muted truncate">{session.agent}</span>
      {showOwner && (
        <span class="session-owner muted truncate" title={`${SESSIONS.owner}: ${session.ownerId}`}>
          <bdi>{session.ownerId}</bdi>
        </span>
      )}
      <span class="session-age muted">
        <span class="visually-hidden">{SESSIONS.started} </span>
        <Icon name="clock" />
        <RelativeTime at={session.createdAt} short />
      </span>
      <span class="session-activity muted">
        <span class="visually-hidden">{SESSIONS.lastActivity} </span>
        <RelativeTime at={session.lastActivity} short />
      </span>
    </li>
  );
});
