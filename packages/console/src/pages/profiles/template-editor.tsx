import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Button, IconButton } from '../../components/button.tsx';
import { Field } from '../../components/field.tsx';
import { pair } from '../../components/pairs.ts';
import { TextAreaField, TextField } from '../../components/text-field.tsx';
import { filledTemplate, variablesOf } from '../../conversation/message-template.ts';
import { PROFILE } from '../../texts/profiles.ts';
import type { ProfileProblems, TemplateRow } from './profile-form.ts';

interface TemplateEditorProps {
  readonly templates: readonly TemplateRow[];
  readonly problems: ProfileProblems;
  readonly onChange: (templates: readonly TemplateRow[]) => void;
}

/** The message templates of a profile, each with what it looks like. */
export function TemplateEditor({ templates, problems, onChange }: TemplateEditorProps) {
  const root = useRef<HTMLDivElement>(null);
  const [wanted, setWanted] = useState<string | null>(null);
  useLayoutEffect(() => {
    if (wanted === null) return;
    root.current?.querySelector<HTMLElement>(wanted)?.focus();
    setWanted(null);
  }, [wanted]);
  const change = (key: string, part: Partial<TemplateRow>): void =>
    onChange(templates.map((each) => (each.key === key ? { ...each, ...part } : each)));
  const add = (): void => {
    const { key } = pair();
    onChange([...templates, { key, name: '', category: '', content: '' }]);
    setWanted(`[data-template="${key}"] input`);
  };
  const move = (index: number, by: -1 | 1): void => {
    const moved = templates[index];
    const other = templates[index + by];
    if (moved === undefined || other === undefined) return;
    onChange(
      templates.map((each) => {
        if (each === moved) return other;
        return each === other ? moved : each;
      }),
    );
  };
  const remove = (index: number): void => {
    const next = templates[index + 1] ?? templates[index - 1];
    onChange(templates.filter((_each, at) => at !== index));
    setWanted(next === undefined ? '.template-add .button' : `[data-template="${next.key}"] input`);
  };
  return (
    <div ref={root} class="template-rows">
      {templates.map((template, index) => {
        const name = template.name.trim() === '' ? PROFILE.template(index + 1) : template.name;
        return (
          <fieldset key={template.key} class="template-row" data-template={template.key}>
            <legend class="visually-hidden">{name}</legend>
            <div class="template-head">
              <TextField
                label={PROFILE.templateName}
                error={problems.get(`message_templates.${index}.name`)}
                dir="auto"
                value={template.name}
                onChange={(text) => change(template.key, { name: text })}
              />
              <TextField
                label={PROFILE.templateCategory}
                error={problems.get(`message_templates.${index}.category`)}
                dir="auto"
                value={template.category}
                onChange={(category) => change(template.key, { category })}
              />
              <div class="template-actions">
                <IconButton
                  icon="chevronUp"
                  label={PROFILE.moveUp(name)}
                  disabled={index === 0}
                  onClick={() => move(index, -1)}
                />
                <IconButton
                  icon="chevronDown"
                  label={PROFILE.moveDown(name)}
                  disabled={index === templates.length - 1}
                  onClick={() => move(index, 1)}
                />
                <IconButton icon="trash" label={PROFILE.removeTemplate(name)} onClick={() => remove(index)} />
              </div>
            </div>
            <TextAreaField
              label={PROFILE.templateContent}
              hint={<VariablesHint content={template.content} />}
              error={problems.get(`message_templates.${index}.content`)}
              rows={3}
              dir="auto"
              value={template.content}
              onChange={(content) => change(template.key, { content })}
            />
            {variablesOf(template.content).length > 0 && <Preview content={template.content} />}
          </fieldset>
        );
      })}
      <div class="template-add">
        <Button size="small" icon="plus" onClick={add}>
          {PROFILE.addTemplate}
        </Button>
      </div>
    </div>
  );
}

function VariablesHint({ content }: { readonly content: string }) {
  const names = variablesOf(content);
  if (names.length === 0) return <>{PROFILE.templateNoVariables}</>;
  return <bdi>{PROFILE.templateVariables(names.join(', '))}</bdi>;
}

/** The message with something in the place of its variables. */
function Preview({ content }: { readonly content: string }) {
  const samples = Object.fromEntries(
    variablesOf(content).map((name) => [name, PROFILE.templateSample(name)]),
  );
  return (
    <Field label={PROFILE.templatePreview}>
      {({ id }) => (
        <output id={id} class="template-sample" dir="auto">
          {filledTemplate(content, samples)}
        </output>
      )}
    </Field>
  );
}
