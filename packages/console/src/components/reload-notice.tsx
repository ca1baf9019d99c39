import type { ComponentChildren } from 'preact';
import { COMMON } from '../texts/common.ts';
import { Button } from './button.tsx';
import { Notice } from './notice.tsx';

/** In the place of a page that cannot go on without being loaded again. */
export function ReloadNotice({ children }: { readonly children: ComponentChildren }) {
  return (
    <div class="page">
      <Notice
        tone="danger"
        action={
          <Button size="small" icon="refresh" onClick={() => location.reload()}>
            {COMMON.reload}
          </Button>
        }
      >
        {children}
      </Notice>
    </div>
  );
}
