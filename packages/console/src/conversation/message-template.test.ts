import { expect, test } from 'vitest';
import { filledTemplate, variablesOf } from './message-template.ts';

test('variables are those that the server knows, each once and in order', () => {
  expect(variablesOf('{{b}} {{ a }} {{b}} {{c.d-e_1}} {{1}} {{}} {{a b}} {a}')).toEqual([
    'b',
    'a',
    'c.d-e_1',
  ]);
});

test('values are put in as they are; what has none stays', () => {
  expect(filledTemplate('{{a}}|{{b}}|{{constructor}}', { a: '{{b}} $& $1' })).toBe(
    '{{b}} $& $1|{{b}}|{{constructor}}',
  );
});
