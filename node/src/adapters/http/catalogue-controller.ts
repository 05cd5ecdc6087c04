import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { boolean, integer, kindShape, object, optional, ProtocolError, recordIdShape } from '@huilian/protocol';
import { mostMigrated } from '../../core/catalog/migrate-records.js';
import { inBody } from './act-objects.js';
import { answers } from './answer-schemas.js';
import { Operator } from './caller.js';
import { administrators, Declare, jsonHeader, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { Caller } from './sign-in.js';

const migrationBodyShape = object({ after: optional(recordIdShape), dryRun: optional(boolean()), from: integer(1, 9999), kind: kindShape, limit: optional(integer(1, mostMigrated)), to: integer(1, 9999) });

/** What votes adopted. It is what members and owners follow, and nothing of it is personal: an owner's wallet reads titles here. */
@Controller('v1/catalogue')
export class CatalogueController {
  public constructor(private readonly services: NodeServices) {}

  @Declare({ id: 'catalogue', en: 'kinds, code sets, rule sets and CAs that votes adopted: what is in force, what comes, what ends soon', zh: '目录：数据种类、代码集、规则集与 CA 及其生效和停用时间', who: 'anyone', answer: answers.catalogue, curl: 'curl -s $NODE/v1/catalogue' })
  @Get()
  public async catalogue(): Promise<object> {
    return await this.services.catalogue.view();
  }

  @Declare({ id: 'kindDocuments', en: "a kind's schema documents as they were adopted, newest first", zh: '数据种类的标准文档', who: 'anyone', answer: answers.kindDocuments, codes: ['SCHEMA_UNKNOWN'], curl: 'curl -s $NODE/v1/catalogue/kinds/credit' })
  @Get('kinds/:kind')
  public async kind(@Param('kind') kind: string): Promise<object> {
    const items = await this.services.catalogue.documentsOf(kindShape.read(kind, '/kind'));
    if (items.length === 0) throw new ProtocolError('SCHEMA_UNKNOWN', { kind, reason: 'not-adopted' });
    return { items };
  }
}

/** Carries own records over to the next version of their kind. */
@Controller('v1/migrations')
export class MigrationsController {
  public constructor(private readonly services: NodeServices) {}

  @Declare({ id: 'migrate', en: "publishes this centre's records of a kind again under its next version, by the adopted migration; up to 5,000 a call", zh: '按转换规则将本方记录转换到新版本', who: 'operator', roles: administrators, act: 'records.migrate', object: inBody('kind'), body: migrationBodyShape, answer: answers.migrated, codes: ['MIGRATION_UNKNOWN', 'SCHEMA_UNKNOWN', 'SCHEMA_RETIRED', 'DISK_NEARLY_FULL', 'OUTBOX_TAIL_LOST'], curl: `curl -s ${tokenHeader} ${jsonHeader} -d '{"kind":"forest-right","from":1,"to":2,"dryRun":true}' $NODE/v1/migrations` })
  @Post()
  @HttpCode(200)
  public async migrate(@Operator() _operator: Caller, @Body() body: unknown): Promise<object> {
    const { after, dryRun = false, from, kind, limit, to } = migrationBodyShape.read(body);
    return await this.services.migrate({ dryRun, from, kind, to, ...(after === undefined ? {} : { after }), ...(limit === undefined ? {} : { limit }) });
  }
}
