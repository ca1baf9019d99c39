import { CHANGES } from '../../../texts/workspace.ts';
import { byFolder, splitPath, type ChangedFile } from './changed-file.ts';

interface LineCountsProps {
  readonly added: number | null;
  readonly removed: number | null;
}

/** `+3 −1`, in colours; in words for those who cannot see. Nothing for files that are not text. */
export function LineCounts({ added, removed }: LineCountsProps) {
  if (added === null || removed === null) return null;
  return (
    <span class="line-counts">
      <span aria-hidden="true">
        {added > 0 && <span class="line-counts-added">+{added}</span>}
        {removed > 0 && <span class="line-counts-removed">−{removed}</span>}
      </span>
      <span class="visually-hidden">{CHANGES.lines(added, removed)}</span>
    </span>
  );
}

/** One letter for what happened to a file. */
export function ChangeMark({ change }: Pick<ChangedFile, 'change'>) {
  const label = CHANGES.kinds[change];
  return (
    <span class="change-mark" data-change={change} title={label}>
      <span aria-hidden="true">{CHANGES.marks[change]}</span>
      <span class="visually-hidden">{label}</span>
    </span>
  );
}

interface FileListProps {
  readonly files: readonly ChangedFile[];
  readonly onShow: (file: ChangedFile) => void;
}

/** The files by folder; leads to the changes of each. */
export function FileList({ files, onShow }: FileListProps) {
  return (
    <nav class="file-list" aria-label={CHANGES.fileList}>
      {byFolder(files).map(({ folder, files: own }) => (
        <div key={folder}>
          {folder !== '' && (
            <div class="file-list-folder muted truncate" title={folder}>
              <bdi>{folder}</bdi>
            </div>
          )}
          <ul role="list">
            {own.map((file) => (
              <li key={file.path}>
                <button type="button" class="file-list-file" title={file.path} onClick={() => onShow(file)}>
                  <ChangeMark change={file.change} />
                  <bdi class="truncate">{splitPath(file.path).name}</bdi>
                  <LineCounts added={file.added} removed={file.removed} />
                </button>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}
