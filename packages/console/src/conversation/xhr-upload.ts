import type { FetchFunction } from '@agentapi-proxy/client';

/**
 * `fetch` for uploads: it tells how much has been sent, which the platform's own does not.
 * @param onProgress - told the share that is sent, from 0 to 1
 */
export function fetchWithProgress(onProgress: (share: number) => void): FetchFunction {
  return async (url, { method = 'GET', headers, body, signal }) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(toError(signal.reason));
        return;
      }
      const request = new XMLHttpRequest();
      const abort = (): void => request.abort();
      request.open(method, url);
      request.responseType = 'blob';
      for (const [name, value] of new Headers(headers)) request.setRequestHeader(name, value);
      request.upload.addEventListener('progress', ({ loaded, total }) =>
        onProgress(total === 0 ? 0 : loaded / total),
      );
      request.addEventListener('load', () => {
        const answer: unknown = request.response;
        resolve(
          new Response(answer instanceof Blob ? answer : null, {
            status: request.status,
            headers: responseHeaders(request.getAllResponseHeaders()),
          }),
        );
      });
      request.addEventListener('error', () => reject(new TypeError('The connection broke')));
      request.addEventListener('abort', () => reject(toError(signal?.reason)));
      request.addEventListener('loadend', () => signal?.removeEventListener('abort', abort));
      signal?.addEventListener('abort', abort);
      request.send(body instanceof FormData ? body : null);
    });
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new DOMException('The upload was cancelled', 'AbortError');
}

function responseHeaders(text: string): Headers {
  const headers = new Headers();
  for (const line of text.split('\r\n')) {
    const [name, ...value] = line.split(':');
    if (name !== undefined && name !== '') headers.append(name, value.join(':').trim());
  }
  return headers;
}
