import { fileURLToPath } from 'node:url';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ALL_PERMISSIONS, PERMISSION_PURPOSES, ROLE_PERMISSIONS, ROLES } from '../src/auth/permissions.ts';
import { startApp } from './support/app.ts';
import { ROUTE_RULES, RULE_TEXTS } from './support/route-rules.ts';

test('every route of the control plane has a rule, and every rule a route', async () => {
  await using app = await startApp();
  expect(app.routes.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
    Object.keys(ROUTE_RULES).toSorted(),
  );
});

test('docs/rbac.md shows roles, permissions and routes as they are declared', async () => {
  await using app = await startApp();
  const page = await readFile(fileURLToPath(new URL('../../../docs/rbac.md', import.meta.url)), 'utf8');
  const permissions = Object.entries(PERMISSION_PURPOSES).map(
    ([name, purpose]) =>
      `| \`${name}\` | ${purpose} | ${ROLES.map((role) => (grants(role, name) ? 'yes' : '–')).join(' | ')} |`,
  );
  expect(tableBelow(page, 'permissions')).toEqual(permissions);
  const routes = app.routes.map(({ method, path, requires }) => {
    const rule = ROUTE_RULES[`${method} ${path}`];
    const needs =
      requires === null ? 'nothing' : requires === 'authenticated' ? 'any key or link' : `\`${requires}\``;
    return `| ${method} | \`${path}\` | ${needs} | ${rule === undefined ? '?' : RULE_TEXTS[rule]} |`;
  });
  expect(tableBelow(page, 'routes')).toEqual(routes);
});

function grants(role: (typeof ROLES)[number], permission: string): boolean {
  const held = ROLE_PERMISSIONS[role];
  return held.includes(permission) || held.includes(ALL_PERMISSIONS);
}

/** Rows of the table after a marker, without its two head lines. */
function tableBelow(page: string, marker: string): readonly string[] {
  const [, after = ''] = page.split(`<!-- tested: ${marker} -->\n`);
  const lines = after.split('\n');
  return lines.slice(2, lines.indexOf('')).map((line) => line.replaceAll(/ +/g, ' '));
}
