import type { IconName } from '../parts/icons.js';
import type { Act } from '../session/session.js';
import type { WordKey } from '../words/dictionary.js';

/** A page in the navigation. */
interface Place {
  readonly path: string;
  readonly label: WordKey;
  readonly icon: IconName;
  /** Shown to who may do this; to all where absent. */
  readonly needs?: Act;
}

export interface PlaceGroup {
  readonly label: WordKey;
  readonly places: readonly Place[];
}

export const placeGroups: readonly PlaceGroup[] = [
  {
    label: 'nav.work',
    places: [
      { path: '/', label: 'nav.overview', icon: 'overview' },
      { path: '/records', label: 'nav.records', icon: 'records' },
      { path: '/sources', label: 'nav.sources', icon: 'sources' },
      { path: '/owners', label: 'nav.owners', icon: 'owners' },
      { path: '/flags', label: 'nav.flags', icon: 'flags' },
      { path: '/accesses', label: 'nav.accesses', icon: 'accesses' },
      { path: '/mappings', label: 'nav.mappings', icon: 'mappings' },
      { path: '/dead-letters', label: 'nav.deadLetters', icon: 'deadLetters' },
    ],
  },
  {
    label: 'nav.consortium',
    places: [
      { path: '/completeness', label: 'nav.completeness', icon: 'completeness' },
      { path: '/months', label: 'nav.months', icon: 'months' },
      { path: '/members', label: 'nav.members', icon: 'members' },
      { path: '/catalogue', label: 'nav.catalogue', icon: 'catalogue' },
      { path: '/proposals', label: 'nav.proposals', icon: 'proposals' },
    ],
  },
  {
    label: 'nav.node',
    places: [
      { path: '/health', label: 'nav.health', icon: 'health' },
      { path: '/accounts', label: 'nav.accounts', icon: 'accounts', needs: 'accounts' },
      { path: '/audit-log', label: 'nav.auditLog', icon: 'auditLog', needs: 'audit-log' },
    ],
  },
];
