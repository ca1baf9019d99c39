import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';

/** How much a button asks to be pressed. */
export type ButtonVariant = 'primary' | 'secondary' | 'ghost' | 'danger';

interface ButtonProps extends Omit<ButtonHTMLAttributes, 'size' | 'icon' | 'class' | 'className'> {
  readonly variant?: ButtonVariant;
  readonly size?: 'small' | 'medium';
  readonly icon?: IconName;
  /** Shows that what was asked for is under way, and takes no further press. */
  readonly busy?: boolean;
  readonly children: ComponentChildren;
}

/** A button with a text. */
export function Button(props: ButtonProps) {
  const { variant = 'secondary', size = 'medium', icon, busy = false, disabled, children, ...rest } = props;
  return (
    <button
      type="button"
      {...rest}
      class="button"
      data-variant={variant}
      data-size={size}
      disabled={busy || disabled === true}
      aria-busy={busy}
    >
      {busy ? <span class="spinner" /> : icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends Omit<
  ButtonHTMLAttributes,
  'size' | 'icon' | 'label' | 'class' | 'className'
> {
  /** What it does: said to those who cannot see the drawing, and shown when the pointer rests on it. */
  readonly label: string;
  readonly icon: IconName;
  readonly variant?: ButtonVariant;
  readonly size?: 'small' | 'medium';
}

/** A button that is only a drawing. */
export function IconButton({ label, icon, variant = 'ghost', size = 'medium', ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      title={label}
      aria-label={label}
      {...rest}
      class="button"
      data-variant={variant}
      data-size={size}
      data-icon-only
    >
      <Icon name={icon} />
    </button>
  );
}
