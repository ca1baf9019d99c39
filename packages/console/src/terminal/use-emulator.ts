import { effect, signal, type ReadonlySignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import { useConsole } from '../console-context.ts';
import type { Preferences } from '../preferences.ts';
import { Emulator } from './emulator.ts';
import { ScreenLayout } from './screen-layout.ts';

/** Elements that a terminal is made of. */
export interface TerminalElements {
  readonly scroller: RefObject<HTMLDivElement>;
  readonly clip: RefObject<HTMLDivElement>;
  /** Empty; the emulator fills it. */
  readonly host: RefObject<HTMLDivElement>;
  /** There while somebody types. */
  readonly input: RefObject<HTMLTextAreaElement>;
}

/** A screen that is drawn on the page. */
export interface DrawnScreen {
  readonly emulator: Emulator;
  readonly layout: ScreenLayout;
  readonly hasSelection: ReadonlySignal<boolean>;
  /** Grows with every change of the screen. */
  readonly changes: ReadonlySignal<number>;
}

/** Draws a screen for as long as the component is there; `null` for a moment in the beginning. */
export function useEmulator(elements: TerminalElements): DrawnScreen | null {
  const { preferences } = useConsole();
  const [drawn, setDrawn] = useState<DrawnScreen | null>(null);
  useLayoutEffect(() => {
    const [scroller, clip, host] = [elements.scroller.current, elements.clip.current, elements.host.current];
    if (scroller === null || clip === null || host === null) return undefined;
    const { terminalFontSize } = preferences.values.peek();
    const hasSelection = signal(false);
    const changes = signal(0);
    const emulator = new Emulator(host, {
      fontSize: terminalFontSize,
      onChange: () => {
        changes.value += 1;
        layout.updateSoon();
      },
      onSelectionChange: (isSelected) => {
        hasSelection.value = isSelected;
      },
    });
    const layout = new ScreenLayout(emulator, { scroller, clip, input: () => elements.input.current });
    const resizes = new ResizeObserver(() => layout.updateSoon());
    resizes.observe(scroller);
    const unfollow = followPreferences(preferences, emulator, layout);
    setDrawn({ emulator, layout, hasSelection, changes });
    return () => {
      unfollow();
      resizes.disconnect();
      layout.close();
      emulator.dispose();
    };
  }, [preferences]);
  return drawn;
}

/** Lets the emulator look as chosen. @returns ends that */
function followPreferences(preferences: Preferences, emulator: Emulator, layout: ScreenLayout): () => void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const recolour = (): void => emulator.updateTheme();
  dark.addEventListener('change', recolour);
  const unsubscribe = effect(() => {
    const { terminalFontSize } = preferences.values.value;
    emulator.setFontSize(terminalFontSize);
    // Whatever was chosen: the page has its colours by now.
    recolour();
    layout.updateSoon();
  });
  return () => {
    unsubscribe();
    dark.removeEventListener('change', recolour);
  };
}
