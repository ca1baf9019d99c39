import { useSearch as useRawSearch } from 'wouter-preact/use-browser-location';

/** What stands behind `?` in the address, as it is: what the router gives is decoded already, and must not be once more. */
export function useSearch(): string {
  return useRawSearch().replace(/^\?/, '');
}
