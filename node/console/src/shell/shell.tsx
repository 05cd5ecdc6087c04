import { ActionIcon, Button, Drawer } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Suspense, type ReactNode } from 'react';
import { Link, NavLink, Outlet, useLocation } from 'react-router';
import { Icon } from '../parts/icons.js';
import { Loading } from '../parts/states.js';
import { useSession } from '../session/session.js';
import { useWords } from '../words/use-words.js';
import { Choices } from './choices.js';
import { placeGroups } from './places.js';
import styles from './shell.module.css';

/** What stands around every page: the navigation, language and colours, who is signed in. */
export function Shell(): ReactNode {
  const { name, t } = useWords();
  const { account, role, signOut } = useSession();
  const { pathname } = useLocation();
  const [isOpen, menu] = useDisclosure(false);
  return (
    <div className={styles['shell']}>
      <a className={styles['skip']} href="#content" onClick={toContent}>{t('app.skip')}</a>
      <header className={styles['header']}>
        <ActionIcon aria-expanded={isOpen} aria-label={t('app.menu')} className={styles['menuButton'] ?? ''} onClick={menu.open} size="lg" variant="subtle"><Icon name="menu" size={22} /></ActionIcon>
        <span className={styles['brand']}><img alt="" height="26" src="./icon.svg" width="26" /><span className={styles['brandName']}>{t('app.name')}</span></span>
        <div className={styles['right']}>
          <Choices />
          <Link className={styles['account'] ?? ''} title={t('app.account', { account, role: name('role', role) })} to="/account">
            <Icon name="accounts" size={16} /><span className={styles['accountName']}>{account}</span><span className={styles['role']}>{name('role', role)}</span>
          </Link>
          <Button aria-label={t('app.signOut')} className={styles['leave'] ?? ''} onClick={() => void signOut()} size="compact-sm" variant="subtle"><Icon name="leave" /></Button>
        </div>
      </header>
      <nav aria-label={t('app.menu')} className={styles['side']}><Places /></nav>
      <Drawer closeButtonProps={{ 'aria-label': t('app.close') }} lockScroll={false} onClose={menu.close} opened={isOpen} size="17rem" title={t('app.menu')}>
        <nav aria-label={t('app.menu')}><Places onChoose={menu.close} /></nav>
      </Drawer>
      <main className={styles['main']} data-place={pathname} id="content" tabIndex={-1}>
        <Suspense fallback={<Loading />}><Outlet /></Suspense>
      </main>
    </div>
  );
}

/** The address belongs to the pages, so the link moves the focus itself. */
function toContent(event: { preventDefault(): void }): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

function Places({ onChoose }: { readonly onChoose?: () => void }): ReactNode {
  const { t } = useWords();
  const { may } = useSession();
  return placeGroups.map(({ label, places }) => (
    <div className={styles['group']} key={label}>
      <p className={styles['groupName']} id={`group-${label}`}>{t(label)}</p>
      <ul aria-labelledby={`group-${label}`} className={styles['places']}>
        {places.filter(({ needs }) => needs === undefined || may(needs)).map(({ icon, label: place, path }) => (
          <li key={path}>
            <NavLink className={({ isActive }) => `${styles['place'] ?? ''} ${isActive ? (styles['here'] ?? '') : ''}`} end={path === '/'} onClick={onChoose} to={path}>
              <Icon name={icon} />{t(place)}
            </NavLink>
          </li>
        ))}
      </ul>
    </div>
  ));
}
