import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';

/** One line of a menu. */
export interface MenuItem {
  readonly label: string;
  readonly icon?: IconName;
  readonly tone?: 'danger';
  /** Shown with a tick: one of several choices, or something that is on. */
  readonly checked?: boolean;
  readonly onSelect: () => void;
}

interface MenuProps {
  /** Name of the button, said to those who cannot see its content. */
  readonly label: string;
  /** Content of the button. */
  readonly trigger: ComponentChildren;
  /** Classes and look of the button. */
  readonly variant?: 'secondary' | 'ghost';
  readonly iconOnly?: boolean;
  readonly size?: 'small' | 'medium';
  /** Above the items. */
  readonly heading?: ComponentChildren;
  /** Groups, with a line between them. */
  readonly groups: readonly (readonly MenuItem[])[];
  readonly align?: 'start' | 'end';
  readonly side?: 'top' | 'bottom';
}

const STEPS: Readonly<Record<string, (at: number, count: number) => number>> = {
  ArrowDown: (at, count) => (at + 1) % count,
  ArrowUp: (at, count) => (at - 1 + count) % count,
  Home: () => 0,
  End: (_at, count) => count - 1,
};

/** A button that opens a list of actions: arrow keys, Home and End move in it, Escape closes it. */
export function Menu(props: MenuProps) {
  const { label, trigger, variant = 'ghost', iconOnly = false, size = 'medium' } = props;
  const { heading, groups, align = 'start', side = 'bottom' } = props;
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const items = (): HTMLElement[] => [...(root.current?.querySelectorAll<HTMLElement>('.menu-item') ?? [])];
  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  useLayoutEffect(() => {
    if (!isOpen) return undefined;
    items()[0]?.focus();
    const onPointer = (event: PointerEvent): void => {
      if (event.target instanceof Node && root.current?.contains(event.target) !== true) setOpen(false);
    };
    document.addEventListener('pointerdown', onPointer);
    return () => document.removeEventListener('pointerdown', onPointer);
  }, [isOpen]);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      close();
    }
    if (event.key === 'Tab') setOpen(false);
    const step = STEPS[event.key];
    const all = items();
    if (step === undefined || all.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    all[
      step(
        all.findIndex((item) => item === document.activeElement),
        all.length,
      )
    ]?.focus();
  };
  const line = (item: MenuItem) => (
    <button
      key={item.label}
      type="button"
      class="menu-item"
      tabIndex={-1}
      role={item.checked === undefined ? 'menuitem' : 'menuitemcheckbox'}
      {...(item.checked === undefined ? {} : { 'aria-checked': item.checked })}
      {...(item.tone === undefined ? {} : { 'data-tone': item.tone })}
      onClick={() => {
        close();
        item.onSelect();
      }}
    >
      {item.icon !== undefined && <Icon name={item.icon} />}
      {item.label}
      {item.checked === true && <Icon name="check" />}
    </button>
  );
  return (
    <div class="menu" ref={root}>
      <button
        ref={button}
        type="button"
        class="button"
        data-variant={variant}
        data-size={size}
        {...(iconOnly ? { 'data-icon-only': true } : {})}
        title={label}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        {...(isOpen ? { 'aria-controls': id } : {})}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown' || isOpen) return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        {trigger}
      </button>
      {isOpen && (
        <div class="menu-items" data-align={align} data-side={side} onKeyDown={onKeyDown}>
          {heading !== undefined && <div class="menu-heading">{heading}</div>}
          <div id={id} role="menu" aria-label={label}>
            {groups
              .filter((group) => group.length > 0)
              .map((group, index) => (
                <>
                  {(index > 0 || heading !== undefined) && <hr class="menu-separator" />}
                  {group.map(line)}
                </>
              ))}
          </div>
        </div>
      )}
    </div>
  );
}
