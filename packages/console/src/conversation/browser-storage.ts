/** Where a page keeps what must outlive it: `localStorage`, or memory where the browser allows none. */
export interface TextStorage {
  read(key: string): string | null;
  /** @returns whether it will outlive the page */
  write(key: string, value: string | null): boolean;
  keys(): readonly string[];
}

/** `localStorage`; every one of its methods may throw: switched off by the user, or full. */
export function browserStorage(): TextStorage {
  const memory = new Map<string, string>();
  return {
    read(key) {
      try {
        return localStorage.getItem(key) ?? memory.get(key) ?? null;
      } catch {
        return memory.get(key) ?? null;
      }
    },
    write(key, value) {
      if (value === null) memory.delete(key);
      else memory.set(key, value);
      try {
        if (value === null) localStorage.removeItem(key);
        else localStorage.setItem(key, value);
        return true;
      } catch {
        return false;
      }
    },
    keys() {
      try {
        return [...new Set([...Object.keys(localStorage), ...memory.keys()])];
      } catch {
        return [...memory.keys()];
      }
    },
  };
}
