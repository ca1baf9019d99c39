import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import type { MessageTemplate } from './profile.ts';
import { findTemplate, placeholdersOf, renderTemplate } from './template.ts';

function template(content: string, changes: Partial<MessageTemplate> = {}): MessageTemplate {
  return {
    id: 'id-1',
    name: 'review',
    content,
    variables: [],
    category: null,
    metadata: {},
    createdAt: new Date(0),
    ...changes,
  };
}

/** The refusal of an action. */
function refusal(action: () => unknown): { message: string; field: unknown } {
  try {
    action();
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_template') {
      return { message: error.message, field: error.details?.['field'] };
    }
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('renderTemplate', () => {
  test('fills in every place of a variable', () => {
    const text = renderTemplate(template('{{a}}, {{ b }} and {{a}} in {{\tc.d-e_1 }}'), {
      a: '1',
      b: '2',
      'c.d-e_1': '3',
    });
    expect(text).toBe('1, 2 and 1 in 3');
  });

  test('a text without variables is the message', () => {
    expect(renderTemplate(template('Hello {world} {{}} {{1}} {{a b}} { {a} }'), {})).toBe(
      'Hello {world} {{}} {{1}} {{a b}} { {a} }',
    );
  });

  test('values are taken as they are', () => {
    expect(renderTemplate(template('{{a}}|{{b}}'), { a: '{{b}}', b: '$& $1 $$' })).toBe('{{b}}|$& $1 $$');
  });

  test('missing and unknown variables are all named, and no value', () => {
    const { message, field } = refusal(() =>
      renderTemplate(template('{{a}} {{b}} {{c}}'), { b: 'hidden', x: 'hidden', y: 'hidden' }),
    );
    expect(message).toBe('The variables do not fit the template "review"; missing: a, c; unknown: x, y');
    expect(field).toBe('variables.a');
  });

  test('a variable that the template declares may be given without being used', () => {
    expect(renderTemplate(template('Hi', { variables: ['a'] }), { a: '1' })).toBe('Hi');
    expect(renderTemplate(template('Hi', { variables: ['a'] }), {})).toBe('Hi');
  });

  test('names that every object has are variables like others', () => {
    expect(refusal(() => renderTemplate(template('{{toString}}'), {})).message).toContain(
      'missing: toString',
    );
    expect(renderTemplate(template('{{constructor}}'), { constructor: 'x' })).toBe('x');
  });

  test('what was cut apart at its variables comes together again', () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/).filter((text) => text !== '__proto__');
    const text = fc.string().filter((each) => !/[{}]/.test(each));
    const part = fc.record({ text, name, value: fc.string() });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), text, (parts, end) => {
        const values = Object.fromEntries(parts.map((each) => [each.name, each.value]));
        const content = parts.map((each) => `${each.text}{{${each.name}}}`).join('') + end;
        const expected = parts.map((each) => `${each.text}${values[each.name]}`).join('') + end;
        expect(renderTemplate(template(content), values)).toBe(expected);
        expect(placeholdersOf(content)).toEqual([...new Set(parts.map((each) => each.name))]);
      }),
    );
  });

  test('any text renders with exactly the variables it needs, and with none of them missing', () => {
    const content = fc
      .array(fc.oneof(fc.string(), fc.constantFrom('{{', '}}', '{{a}}', '{{ b }}', '{')))
      .map((each) => each.join(''));
    fc.assert(
      fc.property(content, (text) => {
        const needed = placeholdersOf(text);
        const values = Object.fromEntries(needed.map((each) => [each, '']));
        expect(placeholdersOf(renderTemplate(template(text), values)).length).toBeLessThanOrEqual(
          text.length,
        );
        for (const left of needed) {
          const fewer = Object.fromEntries(needed.filter((each) => each !== left).map((each) => [each, '']));
          expect(refusal(() => renderTemplate(template(text), fewer)).message).toContain(left);
        }
      }),
    );
  });

  test('a text of many braces is read in no time', () => {
    const text = '{{'.repeat(50_000) + ' '.repeat(50_000);
    expect(renderTemplate(template(text), {})).toBe(text);
  });
});

describe('findTemplate', () => {
  const first = template('1', { id: 'id-1', name: 'a' });
  const second = template('2', { id: 'id-2', name: 'b' });
  const third = template('3', { id: 'id-3', name: 'b' });

  test('by id, else by name', () => {
    expect(findTemplate([first, second], 'id-2')).toBe(second);
    expect(findTemplate([first, second], 'a')).toBe(first);
    expect(findTemplate([first, template('x', { id: 'a' })], 'a').content).toBe('x');
  });

  test('an unknown one is named', () => {
    expect(refusal(() => findTemplate([first], 'nobody'))).toEqual({
      message: 'The profile has no template "nobody"',
      field: 'template',
    });
  });

  test('a name that several have is not guessed', () => {
    expect(refusal(() => findTemplate([first, second, third], 'b')).message).toBe(
      'The profile has 2 templates named "b"; use the id of one',
    );
  });
});
