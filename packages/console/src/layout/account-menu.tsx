import { useState } from 'preact/hooks';
import { Icon } from '../components/icon.tsx';
import { Menu, type MenuItem } from '../components/menu.tsx';
import { RelativeTime } from '../components/relative-time.tsx';
import { useConsole } from '../console-context.ts';
import type { Theme } from '../preferences.ts';
import { ACCOUNT } from '../texts/common.ts';
import { useSignOut } from './use-sign-out.ts';
import { ShortcutsDialog } from './shortcuts-dialog.tsx';
import './account-menu.css';

/** Who is signed in, what this person has chosen, and the way out. */
export function AccountMenu() {
  const { auth, preferences, toasts } = useConsole();
  const signOut = useSignOut();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const { me } = auth;
  if (me === null) return null;
  const { theme, notifications, sound } = preferences.values.value;
  const themeItem = (value: Theme, label: string, icon: 'sun' | 'moon' | 'monitor'): MenuItem => ({
    label,
    icon,
    checked: theme === value,
    onSelect: () => preferences.set({ theme: value }),
  });
  const toggleNotifications = async (): Promise<void> => {
    if (notifications) {
      preferences.set({ notifications: false });
      return;
    }
    if (!('Notification' in window) || !window.isSecureContext) {
      toasts.failure(ACCOUNT.notificationsInsecure);
      return;
    }
    const permission = await Notification.requestPermission();
    if (permission === 'granted') preferences.set({ notifications: true });
    else toasts.failure(ACCOUNT.notificationsDenied);
  };
  const isAsked = me.authentication === 'on';
  return (
    <>
      <Menu
        label={isAsked ? ACCOUNT.menuOf(me.user_id) : ACCOUNT.menu}
        side="top"
        align="start"
        trigger={
          <span class="account">
            {isAsked ? <Icon name="user" /> : <Icon name="settings" />}
            <bdi class="account-name truncate">{isAsked ? me.user_id : ACCOUNT.settings}</bdi>
          </span>
        }
        heading={
          <>
            {isAsked ? (
              <>
                <bdi>{me.session_id === undefined ? ACCOUNT.signedInAs(me.user_id) : ACCOUNT.viewer}</bdi>
                <div class="muted">{ACCOUNT.role(me.role)}</div>
              </>
            ) : (
              ACCOUNT.authenticationOff
            )}
            {me.expires_at !== undefined && (
              <div class="muted">
                {ACCOUNT.expires} <RelativeTime at={me.expires_at} />
              </div>
            )}
          </>
        }
        groups={[
          [
            themeItem('system', ACCOUNT.themeSystem, 'monitor'),
            themeItem('light', ACCOUNT.themeLight, 'sun'),
            themeItem('dark', ACCOUNT.themeDark, 'moon'),
          ],
          [
            {
              label: ACCOUNT.notifications,
              icon: 'bell',
              checked: notifications,
              onSelect: () => void toggleNotifications(),
            },
            {
              label: ACCOUNT.sound,
              icon: 'activity',
              checked: sound,
              onSelect: () => preferences.set({ sound: !sound }),
            },
            { label: ACCOUNT.shortcuts, icon: 'keyboard', onSelect: () => setHelpOpen(true) },
          ],
          isAsked ? [{ label: ACCOUNT.signOut, icon: 'signOut', onSelect: signOut }] : [],
        ]}
      />
      {isHelpOpen && <ShortcutsDialog onClose={() => setHelpOpen(false)} />}
    </>
  );
}
