import type { ReactNode } from 'react';

const shapes = {
  overview: 'M4 4h7v7H4zM13 4h7v4h-7zM13 10h7v10h-7zM4 13h7v7H4z',
  records: 'M6 3h9l4 4v14H6zM14 3v5h5M9 12h7M9 16h7',
  accesses: 'M12 5c5 0 8.5 4 9.5 7-1 3-4.5 7-9.5 7s-8.5-4-9.5-7c1-3 4.5-7 9.5-7zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
  deadLetters: 'M12 3 2.5 20h19zM12 10v4M12 17v.5',
  sources: 'M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3zM4 6v6c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12v6c0 1.7 3.6 3 8 3s8-1.3 8-3v-6',
  mappings: 'M4 6h6M4 12h6M4 18h6M14 6h6M14 12h6M14 18h6M10 6c3 0 1 6 4 6M10 18c3 0 1-12 4-12',
  owners: 'M4 21V5l8-2v18M12 9h8v12M7 8h2M7 12h2M7 16h2M15 13h2M15 17h2M3 21h18',
  flags: 'M5 21V4c3-1.5 5-1.5 7 0s4 1.5 7 0v9c-3 1.5-5 1.5-7 0s-4-1.5-7 0',
  completeness: 'M9 4H5v17h14V4h-4M9 2.500h6v3H9zM8.500 13l2.500 2.500 4.500-5',
  months: 'M4 5h16v16H4zM4 10h16M8 3v4M16 3v4M8 14h2M14 14h2',
  members: 'M9 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM2.5 20c.5-4 3-6 6.5-6s6 2 6.5 6M16 5a3 3 0 0 1 0 6M18 14.5c2 .8 3.200 2.6 3.5 5.5',
  catalogue: 'M5 4h4v16H5zM9 4h4v16H9zM14 5l4-1 3.5 15.5-4 1z',
  proposals: 'M5 11h14v10H5zM9 11l3 3 7-9M8 7H5v4',
  health: 'M3 12h4l2.5-7 4 14 2.5-7h5',
  accounts: 'M12 3a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM4 21c.6-4.5 3.5-7 8-7s7.4 2.5 8 7',
  auditLog: 'M5 3h14v18H5zM9 8h6M9 12h6M9 16h4',
  language: 'M4 5h8M8 3v2M5 13c4-2 5.5-5 6-8M5.5 8c1 2.5 3 4 5.5 5M12 21l4.5-11L21 21M13.5 17.5h6',
  sun: 'M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5 19 19M19 5l-1.5 1.5M6.5 17.5 5 19',
  moon: 'M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z',
  menu: 'M4 6h16M4 12h16M4 18h16',
  leave: 'M14 4H5v16h9M10 12h11M17 8l4 4-4 4',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'M5 12.5 10 17.5 19.5 7',
  cross: 'M6 6l12 12M18 6 6 18',
  next: 'M9 5l7 7-7 7',
  question: 'M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.200-1.5 2.4M12 17.5v.5M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 0 0 0-19z',
} as const;
export type IconName = keyof typeof shapes;

/** A drawing beside a text that says the same; assistive technology passes it over. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }): ReactNode {
  return (
    <svg aria-hidden="true" fill="none" focusable="false" height={size} stroke="currentColor" strokeLinecap="round" strokeLinejoin="round" strokeWidth="1.7" viewBox="0 0 24 24" width={size}>
      <path d={shapes[name]} />
    </svg>
  );
}
