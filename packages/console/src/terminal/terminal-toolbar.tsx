import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { Dialog } from '../components/dialog.tsx';
import { Icon } from '../components/icon.tsx';
import { Menu, type MenuItem } from '../components/menu.tsx';
import { useConsole } from '../console-context.ts';
import { TERMINAL_FONT_SIZES } from '../preferences.ts';
import { COMMON } from '../texts/common.ts';
import { TERMINAL } from '../texts/terminal.ts';
import type { TerminalSize } from './emulator.ts';
import type { FeedState } from './terminal-feed.ts';

interface TerminalToolbarProps {
  readonly state: FeedState['kind'];
  readonly size: TerminalSize | null;
  readonly inControl: boolean;
  readonly canControl: boolean;
  /** Around the button that gets the focus back after typing. */
  readonly controlPlace: RefObject<HTMLSpanElement>;
  readonly onControl: (wanted: boolean) => void;
  /** `null` without a selection. */
  readonly onCopy: (() => void) | null;
  /** The size that fills the window. */
  readonly fittingSize: () => TerminalSize | null;
  readonly onResize: (size: TerminalSize) => void;
}

/** What terminals of agents begin with: so many rows that long answers stay on the screen. */
const USUAL_SIZE: TerminalSize = { columns: 80, rows: 1_000 };

/** State, size and options of a terminal. */
export function TerminalToolbar(props: TerminalToolbarProps) {
  const { state, size, inControl, canControl, onControl, onCopy, onResize } = props;
  const { preferences } = useConsole();
  const [asked, setAsked] = useState<TerminalSize | null>(null);
  const { terminalFontSize, terminalText } = preferences.values.value;
  const { min, max } = TERMINAL_FONT_SIZES;
  const letters = (change: number): void =>
    preferences.set({ terminalFontSize: Math.min(max, Math.max(min, terminalFontSize + change)) });
  const looks: MenuItem[] = [
    { label: TERMINAL.larger, icon: 'plus', onSelect: () => letters(1) },
    { label: TERMINAL.smaller, icon: 'minus', onSelect: () => letters(-1) },
    {
      label: TERMINAL.asText,
      checked: terminalText,
      onSelect: () => preferences.set({ terminalText: !terminalText }),
    },
  ];
  const fit = (wantsHeight: boolean) => (): void => {
    const fitting = props.fittingSize();
    if (fitting === null || size === null) return;
    if (!wantsHeight) onResize({ columns: fitting.columns, rows: size.rows });
    else if (fitting.rows < size.rows) setAsked(fitting);
    else onResize(fitting);
  };
  const sizes: MenuItem[] =
    canControl && state === 'live'
      ? [
          { label: TERMINAL.fitWidth, icon: 'monitor', onSelect: fit(false) },
          { label: TERMINAL.fitBoth, icon: 'monitor', onSelect: fit(true) },
          { label: TERMINAL.originalSize, icon: 'refresh', onSelect: () => onResize(USUAL_SIZE) },
        ]
      : [];
  return (
    <div class="terminal-toolbar">
      <span class="terminal-state" data-state={state} role="status">
        {TERMINAL.states[state === 'none' ? 'ended' : state]}
      </span>
      {size !== null && (
        <span class="terminal-size muted" title={TERMINAL.sizeTitle}>
          {TERMINAL.size(size.columns, size.rows)}
        </span>
      )}
      <span class="terminal-actions">
        {onCopy !== null && (
          <Button size="small" icon="copy" onClick={onCopy}>
            {TERMINAL.copy}
          </Button>
        )}
        {canControl && (
          <span ref={props.controlPlace}>
            <Button
              size="small"
              variant={inControl ? 'secondary' : 'primary'}
              icon={inControl ? 'lock' : 'keyboard'}
              onClick={() => onControl(!inControl)}
            >
              {inControl ? TERMINAL.releaseControl : TERMINAL.takeControl}
            </Button>
          </span>
        )}
        <Menu
          label={TERMINAL.options}
          trigger={<Icon name="settings" />}
          iconOnly
          size="small"
          align="end"
          groups={[looks, sizes]}
        />
      </span>
      {asked !== null && (
        <Dialog
          title={TERMINAL.resizeTitle}
          onClose={() => setAsked(null)}
          actions={
            <>
              <Button onClick={() => setAsked(null)}>{COMMON.cancel}</Button>
              <Button
                variant="primary"
                onClick={() => {
                  onResize(asked);
                  setAsked(null);
                }}
              >
                {TERMINAL.resize}
              </Button>
            </>
          }
        >
          <p>{TERMINAL.resizeText(asked.rows)}</p>
        </Dialog>
      )}
    </div>
  );
}
