/** `{{name}}`, as the server reads it (docs/profile-api.md). */
const PLACEHOLDER = /\{\{[ \t]*([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*\}\}/gu;

/** The variables of a template's text, each once, in the order in which they come. */
export function variablesOf(content: string): readonly string[] {
  return [...new Set(Array.from(content.matchAll(PLACEHOLDER), (match) => match[1] ?? ''))];
}

/** The text with its variables replaced; values are put in as they are, and those without one stay. */
export function filledTemplate(content: string, values: Readonly<Record<string, string>>): string {
  return content.replace(PLACEHOLDER, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? '') : whole,
  );
}
