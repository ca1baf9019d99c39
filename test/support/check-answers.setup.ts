// Every answer that a test sees from a server of ours must be in the OpenAPI document.
import { afterEach } from 'vitest';
import { answerCheck } from './answer-check.ts';

const platformFetch = globalThis.fetch;

globalThis.fetch = async (input, init) => {
  const response = await platformFetch(input, init);
  const url = input instanceof Request ? input.url : String(input);
  if (!answerCheck.watches(url)) return response;
  const method = (init?.method ?? (input instanceof Request ? input.method : 'GET')).toUpperCase();
  const contentType = response.headers.get('content-type');
  const { pathname, search } = new URL(url);
  const seen = { method, path: `${pathname}${search}`, status: response.status, contentType };
  // Streams have no end that could be waited for.
  if (contentType?.includes('json') !== true) {
    if (contentType?.includes('event-stream') !== true) answerCheck.check(url, { ...seen, body: '' });
    return response;
  }
  const copy = response.clone();
  answerCheck.later(
    copy.text().then(
      (body) => answerCheck.check(url, { ...seen, body }),
      // The test let go of it.
      () => undefined,
    ),
  );
  return response;
};

afterEach(async () => {
  const wrong = await answerCheck.take();
  if (wrong.length === 0) return;
  throw new Error(`answers that are not as openapi/agentapi-proxy.json says:\n${wrong.join('\n')}`);
});
