import openapiTS, { astToString } from 'openapi-typescript';
import type { OpenAPI3 } from 'openapi-typescript';
import ts from 'typescript';

const HEADER = `/*
 * Generated from openapi/agentapi-proxy.json by \`npm run openapi\`; changes by hand are lost.
 */

`;

/** The types of the schemas of an OpenAPI document; its operations are the client's methods. */
export async function clientTypes(document: string): Promise<string> {
  const { openapi, info, components }: OpenAPI3 = JSON.parse(document);
  const schemas: OpenAPI3 = { openapi, info, components: { schemas: components?.schemas ?? {} } };
  const nodes = await openapiTS(schemas, { alphabetize: true, immutable: true, defaultNonNullable: false });
  // The rest of what the generator writes is about operations, and empty.
  const kept = nodes.filter((node) => ts.isInterfaceDeclaration(node) && node.name.text === 'components');
  return HEADER + astToString(kept.map(allowUndefined));
}

/** Whoever leaves a member out may as well say so: `undefined` is not sent. */
function allowUndefined(root: ts.Node): ts.Node {
  const { factory } = ts;
  const { transformed } = ts.transform(root, [
    (context) => {
      const visit = (node: ts.Node): ts.Node => {
        const visited = ts.visitEachChild(node, visit, context);
        if (!ts.isPropertySignature(visited) || visited.type === undefined) return visited;
        if (visited.questionToken === undefined) return visited;
        const type = factory.createUnionTypeNode([
          visited.type,
          factory.createKeywordTypeNode(ts.SyntaxKind.UndefinedKeyword),
        ]);
        const { modifiers, name, questionToken } = visited;
        return factory.updatePropertySignature(visited, modifiers, name, questionToken, type);
      };
      return visit;
    },
  ]);
  return transformed[0] ?? root;
}
