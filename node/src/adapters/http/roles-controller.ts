import { Controller, Get, Query } from '@nestjs/common';
import { answers } from './answer-schemas.js';
import { Cursors, listQuery, readPage } from './cursors.js';
import { Declare, everyRole, tokenHeader } from './declare-route.js';
import type { RouteRoles } from './route-callers.js';

/** The table of routes and roles; made once all controllers are known. */
export class RolesTable {
  public constructor(public readonly routes: readonly RouteRoles[]) {}
}

/** Who may do what, for a console that shows each person its own part. The door decides, not the console. */
@Controller('v1')
export class RolesController {
  public constructor(
    private readonly table: RolesTable,
    private readonly cursors: Cursors,
  ) {}

  @Declare({ id: 'roles', en: 'every route and who is served by it', zh: '各路由的可用角色', who: 'operator', roles: everyRole, query: listQuery, answer: answers.roles, curl: `curl -s ${tokenHeader} $NODE/v1/roles` })
  @Get('roles')
  public roles(@Query() query: Record<string, string>): object {
    return this.cursors.page('roles', this.table.routes, readPage(query));
  }
}
