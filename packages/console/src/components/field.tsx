import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { Icon } from './icon.tsx';

/** What a {@link Field} gives its control: to be spread on it. */
export interface ControlProps {
  readonly id: string;
  readonly 'aria-describedby'?: string;
  readonly 'aria-invalid'?: true;
}

/** What is said about a control. */
export interface FieldTexts {
  readonly label: string;
  readonly hint?: ComponentChildren;
  /** What is wrong with the value, in words. */
  readonly error?: string | undefined;
}

interface FieldProps extends FieldTexts {
  readonly children: (control: ControlProps) => ComponentChildren;
}

/** A control with its label, a hint and what is wrong with it, all of them tied together. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const [hintId, errorId] = [`${id}-hint`, `${id}-error`];
  const described = [hint === undefined ? [] : [hintId], error === undefined ? [] : [errorId]].flat();
  return (
    <div class="field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        ...(described.length === 0 ? {} : { 'aria-describedby': described.join(' ') }),
        ...(error === undefined ? {} : { 'aria-invalid': true }),
      })}
      {hint !== undefined && (
        <p id={hintId} class="field-hint">
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p id={errorId} class="field-error">
          <Icon name="alert" />
          {error}
        </p>
      )}
    </div>
  );
}

interface CheckProps {
  readonly label: ComponentChildren;
  readonly hint?: ComponentChildren;
  readonly checked: boolean;
  readonly disabled?: boolean;
  readonly onChange: (checked: boolean) => void;
}

/** Something that is on or off. */
export function Check({ label, hint, checked, disabled = false, onChange }: CheckProps) {
  const hintId = useId();
  return (
    <div>
      <label class="check">
        <input
          type="checkbox"
          checked={checked}
          disabled={disabled}
          {...(hint === undefined ? {} : { 'aria-describedby': hintId })}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
        <span>{label}</span>
      </label>
      {hint !== undefined && (
        <p id={hintId} class="field-hint">
          {hint}
        </p>
      )}
    </div>
  );
}

/** Puts the focus on the first control that has to be mended, with what is wrong with it in view. */
export function focusFirstInvalid(form: HTMLElement | null): void {
  const control = form?.querySelector<HTMLElement>('[aria-invalid="true"]');
  control?.focus();
  control?.scrollIntoView({ block: 'center' });
}
