import { AppError } from '../errors.ts';
import type { MessageTemplate } from './profile.ts';

/** `{{name}}`; anything else between braces is text. */
const PLACEHOLDER = /\{\{[ \t]*([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*\}\}/g;

/** Names of the variables that a text needs, each once, in the order in which they first appear. */
export function placeholdersOf(content: string): readonly string[] {
  return [...new Set(Array.from(content.matchAll(PLACEHOLDER), ([, name = '']) => name))];
}

/**
 * The text of a template with its variables filled in. Values are taken as they are: braces in them mean nothing.
 * @throws AppError `invalid_template`, naming every variable that is missing or that the template does not know;
 * values are not quoted.
 */
export function renderTemplate(
  template: Pick<MessageTemplate, 'name' | 'content' | 'variables'>,
  values: Readonly<Record<string, string>>,
): string {
  const needed = placeholdersOf(template.content);
  const known = new Set([...needed, ...template.variables]);
  const missing = needed.filter((name) => !Object.hasOwn(values, name));
  const unknown = Object.keys(values).filter((name) => !known.has(name));
  const complaints = [
    ...(missing.length === 0 ? [] : [`missing: ${listed(missing)}`]),
    ...(unknown.length === 0 ? [] : [`unknown: ${listed(unknown)}`]),
  ];
  if (complaints.length > 0) {
    throw new AppError('invalid_template', {
      message: `The variables do not fit the template ${quoted(template.name)}; ${complaints.join('; ')}`,
      details: { field: `variables.${(missing[0] ?? unknown[0] ?? '').slice(0, 100)}` },
    });
  }
  return template.content.replaceAll(PLACEHOLDER, (_match, name: string) => values[name] ?? '');
}

/**
 * The template that a request means: by id, else by name.
 * @throws AppError `invalid_template` when there is none, or several of that name.
 */
export function findTemplate(templates: readonly MessageTemplate[], wanted: string): MessageTemplate {
  const byId = templates.find(({ id }) => id === wanted);
  if (byId !== undefined) return byId;
  const [first, ...more] = templates.filter(({ name }) => name === wanted);
  if (first !== undefined && more.length === 0) return first;
  const what =
    first === undefined
      ? `The profile has no template ${quoted(wanted)}`
      : `The profile has ${more.length + 1} templates named ${quoted(wanted)}; use the id of one`;
  throw new AppError('invalid_template', { message: what, details: { field: 'template' } });
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).map((name) => name.slice(0, 100));
  return names.length > shown.length ? `${shown.join(', ')} and more` : shown.join(', ');
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}
