import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Loading } from './components/loading.tsx';
import { ReloadNotice } from './components/reload-notice.tsx';
import { COMMON } from './texts/common.ts';

/**
 * A component whose code is fetched when it is shown first.
 *
 * @param load - imports it; called again after a failure, when somebody comes back
 */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function Lazy(props: Props) {
    const [, setState] = useState(0);
    const [isFailed, setFailed] = useState(false);
    useEffect(() => {
      if (loaded !== undefined) return undefined;
      let isGone = false;
      const fetchCode = async (): Promise<void> => {
        try {
          loaded = await load();
          if (!isGone) setState(1);
        } catch {
          if (!isGone) setFailed(true);
        }
      };
      void fetchCode();
      return () => {
        isGone = true;
      };
    }, []);
    if (loaded !== undefined) {
      const Loaded = loaded;
      return <Loaded {...props} />;
    }
    if (!isFailed) return <Loading />;
    // The files of a page are gone when the server was updated; a reload brings the new ones.
    return (
      <ReloadNotice>
        {COMMON.pageFailed} {COMMON.pageFailedHint}
      </ReloadNotice>
    );
  };
}
