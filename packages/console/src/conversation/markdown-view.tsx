import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useConsole } from '../console-context.ts';
import { COMMON } from '../texts/common.ts';
import { dressCode } from './code-blocks.ts';
import { MarkdownReader } from './markdown.ts';
import { useNear } from './near-view.ts';
import { safeFragment } from './safe-html.ts';

/** Reading a text that grows takes no more than a fifth of the time. */
const REST_FACTOR = 4;
const MAX_REST_MS = 1_000;

interface MarkdownViewProps {
  readonly text: string;
  /** Whether it is in view from the beginning, as far as anybody knows. */
  readonly isEager: boolean;
}

/** A Markdown text; far from the view its characters are enough, which the browser's search finds. */
export function MarkdownView({ text, isEager }: MarkdownViewProps) {
  const host = useRef<HTMLDivElement>(null);
  const isNear = useNear(host, isEager);
  return (
    <div class="markdown" ref={host}>
      {isNear ? (
        <MarkdownBlocks text={text} />
      ) : (
        <div class="plain-text" dir="auto">
          {text}
        </div>
      )}
    </div>
  );
}

/** While a text grows only the blocks that change are drawn anew, so that what is selected stays selected. */
function MarkdownBlocks({ text }: { readonly text: string }) {
  const reader = useMemo(() => new MarkdownReader(), []);
  const cost = useRef(0);
  const [readText, setReadText] = useState(text);
  useEffect(() => {
    if (text === readText) return undefined;
    const timer = setTimeout(() => setReadText(text), Math.min(cost.current * REST_FACTOR, MAX_REST_MS));
    return () => clearTimeout(timer);
  }, [text, readText]);
  const blocks = useMemo(() => {
    const start = performance.now();
    const read = reader.blocks(readText);
    cost.current = performance.now() - start;
    return read;
  }, [readText, reader]);
  return (
    <>
      {blocks.map(({ html }, index) => (
        <MarkdownBlockView key={index} html={html} />
      ))}
    </>
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
