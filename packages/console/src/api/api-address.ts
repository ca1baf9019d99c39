/**
 * Where the API answers for others than this page, as an absolute address.
 *
 * @param path - below the API, without a slash in front
 */
export function apiAddress(path: string): string {
  return new URL(`../${path}`, document.baseURI).href;
}

/**
 * A page of the console, as an absolute address.
 *
 * @param path - below the console, without a slash in front
 */
export function consoleAddress(path: string): string {
  return new URL(path, document.baseURI).href;
}

/** An address that may stand in a link: one of the web, so that none runs a script. */
export function webAddress(text: string): string | null {
  try {
    const { protocol, href } = new URL(text);
    return protocol === 'https:' || protocol === 'http:' ? href : null;
  } catch {
    return null;
  }
}
