import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { PAIRS } from '../texts/forms.ts';
import { Button, IconButton } from './button.tsx';
import { parseEnvironmentLines } from './environment-lines.ts';
import { Icon } from './icon.tsx';
import { pair, withPairs, type Pair, type PairProblems } from './pairs.ts';
import './pair-editor.css';

/** What the lines are called. */
interface PairTexts {
  readonly legend: string;
  readonly add: string;
  readonly nameOf: (position: number) => string;
  readonly valueOf: (position: number, name: string) => string;
  readonly removeOf: (position: number, name: string) => string;
}

interface PairEditorProps {
  readonly texts: PairTexts;
  readonly pairs: readonly Pair[];
  readonly onChange: (pairs: readonly Pair[]) => void;
  /** Keeps values from the eyes of others, and takes lines of variables from the clipboard. */
  readonly isSecret?: boolean;
  readonly hint?: ComponentChildren;
  readonly problems?: PairProblems;
  /** Names to offer. */
  readonly suggestions?: readonly string[];
}

const NO_PROBLEMS: PairProblems = new Map();

/** Names with values, one a line: variables of an environment, tags. */
export function PairEditor(props: PairEditorProps) {
  const { texts, pairs, onChange, isSecret = false, hint, problems = NO_PROBLEMS, suggestions = [] } = props;
  const root = useRef<HTMLFieldSetElement>(null);
  const [wanted, setWanted] = useState<string | null>(null);
  const [said, setSaid] = useState('');
  const id = useId();
  useLayoutEffect(() => {
    if (wanted === null) return;
    root.current?.querySelector<HTMLElement>(wanted)?.focus();
    setWanted(null);
  }, [wanted]);

  const change = (key: string, part: Partial<Pair>): void =>
    onChange(pairs.map((each) => (each.key === key ? { ...each, ...part } : each)));
  const add = (): void => {
    const added = pair();
    onChange([...pairs, added]);
    setWanted(`[data-pair="${added.key}"] .pair-name`);
  };
  const remove = (removed: Pair): void => {
    const at = pairs.indexOf(removed);
    const next = pairs[at + 1] ?? pairs[at - 1];
    onChange(pairs.filter((each) => each !== removed));
    setSaid(PAIRS.removed(removed.name));
    setWanted(next === undefined ? '.pairs-add .button' : `[data-pair="${next.key}"] .pair-remove .button`);
  };
  const paste = (event: ClipboardEvent, into: Pair): void => {
    const text = event.clipboardData?.getData('text/plain') ?? '';
    const entries = isSecret ? parseEnvironmentLines(text) : null;
    if (entries === null) return;
    event.preventDefault();
    onChange(withPairs(into.value === '' ? pairs.filter((each) => each !== into) : pairs, entries));
    setSaid(PAIRS.pasted(entries.length));
    setWanted('.pairs-add .button');
  };
  const general = problems.get('');
  const shownHint = [hint, isSecret ? PAIRS.pasteHint : undefined].filter((each) => each !== undefined);

  return (
    <fieldset ref={root} class="pairs" aria-describedby={`${id}-hint`}>
      <legend class="visually-hidden">{texts.legend}</legend>
      {pairs.map((each, index) => {
        const problem = problems.get(each.name.trim().slice(0, MAX_FIELD_NAME)) ?? undefined;
        const isBad = problem !== undefined && (each.name.trim() !== '' || each.value !== '');
        const control = isBad ? { 'aria-invalid': true, 'aria-describedby': `${id}-${each.key}` } : {};
        return (
          <div key={each.key} class="pair" data-pair={each.key}>
            <input
              {...control}
              class="input mono pair-name"
              aria-label={texts.nameOf(index + 1)}
              placeholder={PAIRS.name}
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              dir="auto"
              readOnly={each.isKept === true}
              {...(suggestions.length > 0 ? { list: `${id}-names` } : {})}
              value={each.name}
              onInput={(event) => change(each.key, { name: event.currentTarget.value })}
              onPaste={(event) => paste(event, each)}
            />
            <div class="pair-value">
              <PairValue
                pair={each}
                position={index + 1}
                texts={texts}
                isSecret={isSecret}
                onChange={(part) => change(each.key, part)}
                onPaste={(event) => paste(event, each)}
              />
            </div>
            <span class="pair-remove">
              <IconButton
                icon="x"
                label={texts.removeOf(index + 1, each.name)}
                onClick={() => remove(each)}
              />
            </span>
            {isBad && (
              <p id={`${id}-${each.key}`} class="field-error">
                <Icon name="alert" />
                <span dir="auto">{problem}</span>
              </p>
            )}
          </div>
        );
      })}
      {suggestions.length > 0 && (
        <datalist id={`${id}-names`}>
          {suggestions.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      )}
      <div class="pairs-actions">
        <span class="pairs-add">
          <Button size="small" icon="plus" onClick={add}>
            {texts.add}
          </Button>
        </span>
        <p id={`${id}-hint`} class="field-hint">
          {shownHint.map((text, index) => (
            <span key={index}>{text} </span>
          ))}
        </p>
      </div>
      {general !== undefined && (
        <p class="field-error">
          <Icon name="alert" />
          {general}
        </p>
      )}
      <span class="visually-hidden" role="status">
        {said}
      </span>
    </fieldset>
  );
}

/** The server's errors quote that much of a name. */
const MAX_FIELD_NAME = 100;

interface PairValueProps {
  readonly pair: Pair;
  readonly position: number;
  readonly texts: PairTexts;
  readonly isSecret: boolean;
  readonly onChange: (part: Partial<Pair>) => void;
  readonly onPaste: (event: ClipboardEvent) => void;
}

function PairValue({ pair: shown, position, texts, isSecret, onChange, onPaste }: PairValueProps) {
  const [isRevealed, setRevealed] = useState(false);
  const [isReplaced, setReplaced] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (isReplaced) field.current?.focus();
  }, [isReplaced]);
  const { name, value } = shown;
  if (shown.isKept === true) {
    return (
      <span class="pair-kept">
        <Icon name="lock" />
        <span class="truncate">{PAIRS.kept}</span>
        <Button
          size="small"
          aria-label={`${PAIRS.replace}: ${texts.valueOf(position, name)}`}
          onClick={() => {
            onChange({ isKept: false, value: '' });
            setReplaced(true);
          }}
        >
          {PAIRS.replace}
        </Button>
      </span>
    );
  }
  const common = {
    'aria-label': texts.valueOf(position, name),
    placeholder: PAIRS.value,
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: false,
    value,
  } as const;
  const hasLines = value.includes('\n');
  const takeLines = (event: ClipboardEvent): void => {
    onPaste(event);
    const text = event.clipboardData?.getData('text/plain') ?? '';
    // A field of one line would join the lines of a key.
    if (event.defaultPrevented || !text.trimEnd().includes('\n')) return;
    event.preventDefault();
    onChange({ value: text });
  };
  return (
    <>
      {isSecret && isRevealed && hasLines ? (
        <textarea
          {...common}
          class="input mono"
          rows={4}
          onInput={(event) => onChange({ value: event.currentTarget.value })}
        />
      ) : (
        <input
          {...common}
          ref={field}
          class={isSecret ? 'input mono' : 'input'}
          type={isSecret && !isRevealed ? 'password' : 'text'}
          autocomplete={isSecret ? 'new-password' : 'off'}
          dir={isSecret ? 'ltr' : 'auto'}
          readOnly={hasLines}
          onInput={(event) => onChange({ value: event.currentTarget.value })}
          {...(isSecret ? { onPaste: takeLines } : {})}
        />
      )}
      {isSecret && (
        <IconButton
          icon={isRevealed ? 'eyeOff' : 'eye'}
          label={PAIRS.reveal(position, name)}
          aria-pressed={isRevealed}
          onClick={() => setRevealed(!isRevealed)}
        />
      )}
    </>
  );
}
