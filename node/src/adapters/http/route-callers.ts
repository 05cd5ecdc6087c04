import type { StaffRole } from '../../core/accounts/account.js';
import type { RouteDeclaration } from './declare-route.js';
import type { DeclaredRoute } from './open-api.js';

/**
 * Everybody who may stand at the door. `publisher` is a member that may publish: a platform, or a centre; `machine` is who has the
 * operator's token, `monitoring` who has that of the metrics.
 */
export const callerKinds = ['nobody', 'member', 'publisher', 'operator', 'auditor', 'administrator', 'machine', 'monitoring'] as const;
export type CallerKind = (typeof callerKinds)[number];

const byToken: Readonly<Record<Exclude<CallerKind, StaffRole>, readonly RouteDeclaration['who'][]>> = {
  nobody: ['anyone'],
  member: ['anyone', 'member', 'signed-in'],
  publisher: ['anyone', 'member', 'publisher', 'signed-in'],
  machine: ['anyone', 'monitor', 'operator', 'publisher', 'signed-in'],
  monitoring: ['anyone', 'monitor'],
};

/** Whether a route serves a caller. One of the centre's people is served where the route names the role, and nowhere by default. */
export function mayCall({ roles = [], who }: Pick<RouteDeclaration, 'roles' | 'who'>, kind: CallerKind): boolean {
  if (kind === 'administrator' || kind === 'auditor' || kind === 'operator') return who === 'anyone' || (who !== 'member' && roles.includes(kind));
  return byToken[kind].includes(who);
}

/** A route and who is served by it. */
export interface RouteRoles {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly callers: readonly CallerKind[];
  /** Name of the act in the audit log. */
  readonly act?: string;
}

export function rolesTable(routes: readonly DeclaredRoute[]): readonly RouteRoles[] {
  return routes.map(({ act, id, method, path, ...route }) => ({ id, method, path, callers: callerKinds.filter((kind) => mayCall(route, kind)), ...(act === undefined ? {} : { act }) }));
}

const titles: Readonly<Record<CallerKind, string>> = {
  nobody: '无凭据 nobody', member: '成员 member', publisher: '平台、中心 platform, centre', operator: '操作员 operator', auditor: '审计员 auditor', administrator: '管理员 administrator', machine: '本机令牌 machine', monitoring: '监控 monitoring',
};

/** docs/protocol/roles.md. */
export function rolesPage(routes: readonly DeclaredRoute[]): string {
  const head = `| route | ${callerKinds.map((kind) => titles[kind]).join(' | ')} | act |\n|---|${'---|'.repeat(callerKinds.length + 1)}`;
  const rows = rolesTable(routes).map(({ act, callers, method, path }) => {
    const cells = callerKinds.map((kind) => (callers.includes(kind) ? '✓' : kind === 'nobody' ? '401' : '403'));
    return `| \`${method} ${path}\` | ${cells.join(' | ')} | ${act === undefined ? '' : `\`${act}\``} |`;
  });
  return `# Roles and routes 角色与路由

Who is served by which route of a node. Written by \`scripts/make-http-page.mjs\` from the routes' own declarations; \`node/test/roles.test.ts\` calls every
route as each of these callers, at a real door, and holds this page against the code. \`GET /v1/roles\` answers the same table.

✓ served, 401 signs in first, 403 refused with FORBIDDEN. A route that names no role serves none of the centre's people. What has an *act* is written to the
log of administrative acts before it is done, when the centre's side does it ([accounts](../operations/accounts.md)).

${head}
${rows.join('\n')}
`;
}
