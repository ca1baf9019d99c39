import type { InputHTMLAttributes, Ref, TextareaHTMLAttributes } from 'preact';
import { Field, type FieldTexts } from './field.tsx';

interface TextProps<Control> extends FieldTexts {
  /** Besides that of all controls. */
  readonly class?: string;
  /** Nothing that is to be corrected, or to begin with a capital: a name, an address, a line of code. */
  readonly isCode?: boolean;
  readonly controlRef?: Ref<Control>;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

type InputAttribute =
  | 'autocomplete'
  | 'autoFocus'
  | 'dir'
  | 'inputMode'
  | 'maxLength'
  | 'name'
  | 'placeholder'
  | 'required'
  | 'type';

interface TextFieldProps extends TextProps<HTMLInputElement>, Pick<InputHTMLAttributes, InputAttribute> {
  /** Values to offer. */
  readonly suggestions?: readonly string[];
}

/** A text of one line. */
export function TextField(props: TextFieldProps) {
  const {
    label,
    hint,
    error,
    class: more,
    isCode,
    controlRef = null,
    suggestions,
    onChange,
    ...rest
  } = props;
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => (
        <>
          <input
            {...control}
            {...rest}
            {...attributes(more, isCode)}
            {...(suggestions === undefined ? {} : { list: `${control.id}-known` })}
            ref={controlRef}
            onInput={({ currentTarget }) => onChange(currentTarget.value)}
          />
          {suggestions !== undefined && (
            <datalist id={`${control.id}-known`}>
              {suggestions.map((each) => (
                <option key={each} value={each} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

type TextAreaFieldProps = TextProps<HTMLTextAreaElement> & Pick<TextareaHTMLAttributes, 'dir' | 'rows'>;

/** A text of several lines. */
export function TextAreaField(props: TextAreaFieldProps) {
  const { label, hint, error, class: more, isCode, controlRef = null, onChange, ...rest } = props;
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => (
        <textarea
          {...control}
          {...rest}
          {...attributes(more, isCode)}
          ref={controlRef}
          onInput={({ currentTarget }) => onChange(currentTarget.value)}
        />
      )}
    </Field>
  );
}

function attributes(more: string | undefined, isCode = false) {
  return {
    class: more === undefined ? 'input' : `input ${more}`,
    ...(isCode ? ({ autocapitalize: 'off', spellcheck: false } as const) : {}),
  };
}
