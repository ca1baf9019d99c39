import type { Ref } from 'preact';
import { useState } from 'preact/hooks';
import type { GitDiff } from '@agentapi-proxy/client';
import { useLoaded } from '../../../api/use-loaded.ts';
import { Button } from '../../../components/button.tsx';
import { Icon } from '../../../components/icon.tsx';
import { Loading } from '../../../components/loading.tsx';
import { ErrorNotice } from '../../../components/notice.tsx';
import { useConsole } from '../../../console-context.ts';
import { CHANGES } from '../../../texts/workspace.ts';
import { splitPath, type ChangedFile } from './changed-file.ts';
import { ChangeMark, LineCounts } from './file-list.tsx';
import { parseUnifiedDiff, type DiffLine, type DiffSection } from './unified-diff.ts';

interface FileChangesProps {
  readonly sessionId: string;
  readonly file: ChangedFile;
  readonly since: 'commit' | 'start';
  /** Another one when the changes have been fetched again. */
  readonly revision: GitDiff;
  readonly isOpen: boolean;
  readonly onToggle: (isOpen: boolean) => void;
  readonly placeRef: Ref<HTMLDetailsElement>;
}

/** The changes of one file, which can be folded away. */
export function FileChanges(props: FileChangesProps) {
  const { sessionId, file, since, revision, isOpen, onToggle, placeRef } = props;
  const { folder, name } = splitPath(file.path);
  return (
    <details
      ref={placeRef}
      class="file-changes"
      open={isOpen}
      onToggle={({ currentTarget }) => onToggle(currentTarget.open)}
    >
      <summary class="file-changes-head">
        <Icon name="chevronRight" />
        <ChangeMark change={file.change} />
        <bdi class="file-changes-path" title={file.path}>
          <span class="muted">{folder}</span>
          <strong>{name}</strong>
          {file.from !== undefined && <span class="muted"> {CHANGES.renamedFrom(file.from)}</span>}
        </bdi>
        <LineCounts added={file.added} removed={file.removed} />
      </summary>
      {isOpen &&
        (file.section !== null ? (
          <Section section={file.section} />
        ) : (
          <FetchedSection sessionId={sessionId} path={file.path} since={since} revision={revision} />
        ))}
    </details>
  );
}

/** As much as the server gives of one file. */
const MAX_BYTES = 4 * 1024 ** 2;

interface FetchedSectionProps {
  readonly sessionId: string;
  readonly path: string;
  readonly since: 'commit' | 'start';
  readonly revision: GitDiff;
}

/** A file that was beyond what the answer for all files holds. */
function FetchedSection({ sessionId, path, since, revision }: FetchedSectionProps) {
  const { client } = useConsole();
  const { value, error, reload } = useLoaded<GitDiff>(
    (signal) => client.session(sessionId).git.diff({ path, since, max_bytes: MAX_BYTES, signal }),
    [client, sessionId, path, since, revision],
  );
  if (error !== null) return <ErrorNotice title={CHANGES.fileFailed} error={error} onRetry={reload} />;
  if (value === null) return <Loading />;
  const section = parseUnifiedDiff(value.diff)[0];
  if (section === undefined) return <p class="file-changes-note">{CHANGES.noText}</p>;
  return (
    <>
      <Section section={section} />
      {value.truncated && <p class="file-changes-note">{CHANGES.fileCut}</p>}
    </>
  );
}

/** More lines than that are drawn when somebody asks for them. */
const FIRST_LINES = 500;

function Section({ section }: { readonly section: DiffSection }) {
  const [isWhole, setWhole] = useState(false);
  const { lines, isBinary, mode } = section;
  const shown = isWhole ? lines : lines.slice(0, FIRST_LINES);
  const note = isBinary
    ? CHANGES.binary
    : mode !== null
      ? CHANGES.mode(mode.before, mode.after)
      : lines.length === 0
        ? CHANGES.noText
        : null;
  return (
    <>
      {note !== null && <p class="file-changes-note">{note}</p>}
      {shown.length > 0 && (
        <div class="diff" role="region" aria-label={section.path} tabIndex={0}>
          <table class="diff-table">
            <tbody>
              {shown.map((line, index) => (
                <Line key={index} line={line} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {shown.length < lines.length && (
        <p class="file-changes-note">
          <Button size="small" onClick={() => setWhole(true)}>
            {CHANGES.showAll(lines.length)}
          </Button>
        </p>
      )}
    </>
  );
}

const SIGNS = { added: '+', removed: '−', context: '', note: '', hunk: '' } as const;

function Line({ line: { kind, text, before, after } }: { readonly line: DiffLine }) {
  const said = kind === 'added' ? CHANGES.addedLine : kind === 'removed' ? CHANGES.removedLine : undefined;
  return (
    <tr data-kind={kind}>
      <td class="diff-number">{before}</td>
      <td class="diff-number">{after}</td>
      <td class="diff-sign">
        <span aria-hidden="true">{SIGNS[kind]}</span>
        {said !== undefined && <span class="visually-hidden">{said}</span>}
      </td>
      <td class="diff-text" dir="ltr">
        {text === '' ? '\n' : text}
      </td>
    </tr>
  );
}
