import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { useConsole } from '../console-context.ts';
import { COMMON } from '../texts/common.ts';
import { dressCode } from './code-blocks.ts';
import { MarkdownReader } from './markdown.ts';
import { safeFragment } from './safe-html.ts';

/** A Markdown text. While it grows only the blocks that change are drawn anew, so that what is selected stays selected. */
export function MarkdownView({ text }: { readonly text: string }) {
  const reader = useMemo(() => new MarkdownReader(), []);
  const blocks = useMemo(() => reader.blocks(text), [text, reader]);
  return (
    <div class="markdown">
      {blocks.map(({ html }, index) => (
        <MarkdownBlockView key={index} html={html} />
      ))}
    </div>
  );
}

function MarkdownBlockView({ html }: { readonly html: string }) {
  const { toasts } = useConsole();
  const host = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const container = host.current;
    if (container === null) return undefined;
    container.replaceChildren(safeFragment(html));
    return dressCode(container, () => toasts.failure(COMMON.copyFailed));
  }, [html, toasts]);
  return <div class="markdown-block" ref={host} />;
}
