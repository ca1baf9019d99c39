import { Field, type ControlProps, type FieldTexts } from './field.tsx';

/** One of what there is to choose from. */
export interface Choice<Value extends string | number> {
  readonly value: Value;
  readonly text: string;
}

/** Choices in this order; each says its value, unless `textOf` knows a better text. */
export function choicesOf<Value extends string | number>(
  values: readonly Value[],
  textOf: (value: Value) => string = String,
): readonly Choice<Value>[] {
  return values.map((value) => ({ value, text: textOf(value) }));
}

interface SelectProps<Value extends string | number> extends Partial<ControlProps> {
  readonly 'aria-label'?: string;
  /** Besides that of all controls. */
  readonly class?: string;
  readonly choices: readonly Choice<Value>[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}

/** Chooses one of few. */
export function Select<Value extends string | number>(props: SelectProps<Value>) {
  const { class: more, choices, onChange, ...rest } = props;
  return (
    <select
      {...rest}
      class={more === undefined ? 'input' : `input ${more}`}
      onChange={({ currentTarget }) => {
        const chosen = choices[currentTarget.selectedIndex];
        if (chosen !== undefined) onChange(chosen.value);
      }}
    >
      {choices.map(({ value, text }) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  );
}

type SelectFieldProps<Value extends string | number> = FieldTexts & Omit<SelectProps<Value>, 'aria-label'>;

/** Chooses one of few, with a label. */
export function SelectField<Value extends string | number>(props: SelectFieldProps<Value>) {
  const { label, hint, error, ...select } = props;
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => <Select {...control} {...select} />}
    </Field>
  );
}

interface OptionalSelectFieldProps extends FieldTexts {
  /** What is said by choosing nothing. */
  readonly byDefault: string;
  readonly choices: readonly Choice<string>[];
  /** Empty when nothing is chosen. */
  readonly value: string;
  /** What stands for a value that is none of the choices; without it the value itself. */
  readonly unknown?: string;
  readonly onChange: (value: string) => void;
}

/** Chooses one of few or none; what was chosen elsewhere stays, even if it is none of them. */
export function OptionalSelectField(props: OptionalSelectFieldProps) {
  const { byDefault, choices, value, unknown = value, ...rest } = props;
  const isKnown = value === '' || choices.some((choice) => choice.value === value);
  const all = [{ value: '', text: byDefault }, ...(isKnown ? [] : [{ value, text: unknown }]), ...choices];
  return <SelectField {...rest} choices={all} value={value} />;
}
